"""Why a command did not reach its device, and what each kind tells whoever sent it.

NotCarriedOut
├── DeviceUnknown    no device of the document has this id
├── DeviceAway       it can not be reached now; nothing was sent to it
├── MailboxFull      too many letters wait for it already
├── WaitedTooLong    the letter's deadline passed; what was left of it is not carried out any more
└── CutShort         the lane was stopped while it carried the letter out: how far it came is not known
"""


class NotCarriedOut(Exception):
    """A letter came to nothing; the message is for whoever sent it."""


class DeviceUnknown(NotCarriedOut):
    """There is no such device."""


class DeviceAway(NotCarriedOut):
    """The device can not be asked now."""


class MailboxFull(NotCarriedOut):
    """As many letters as may wait for this device."""


class WaitedTooLong(NotCarriedOut):
    """The deadline has passed."""


class CutShort(NotCarriedOut):
    """The lane was stopped in the middle of it."""
