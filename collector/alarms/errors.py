"""What can be wrong with a request to the alarms. Each says what is expected instead.

AlarmError
├── UnknownAlarm          no alarm of this id is kept, or it left too long ago
├── UnknownTag            the configuration has no such device, or no such tag of it
└── ThresholdsRefused     the Fleet server's document names the tag's thresholds, or these make no sense
"""


class AlarmError(Exception):
    """Root of all that the alarms raise on purpose."""


class UnknownAlarm(AlarmError):
    """There is no such alarm."""


class UnknownTag(AlarmError):
    """There is no such tag."""


class ThresholdsRefused(AlarmError):
    """The thresholds can not be set, or not removed."""
