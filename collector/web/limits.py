"""The limits of a tag: those of the document, else those set on this gateway."""

from collector.config.plan import Thresholds
from collector.web import answers
from collector.web.catalogue import TagEntry
from collector.web.sources import AlarmSource


def limits_of(alarms: AlarmSource | None, device_id: str, tag: TagEntry) -> answers.Limits | None:
    """Those in force; None where there are none."""
    found = tag.thresholds or (None if alarms is None else alarms.thresholds(device_id, tag.name))
    return None if found is None else as_limits(found)


def as_limits(thresholds: Thresholds) -> answers.Limits:
    """As the API writes them."""
    return answers.Limits(
        thresholds.low_low,
        thresholds.low,
        thresholds.high,
        thresholds.high_high,
        thresholds.hysteresis,
        thresholds.delay_s,
    )
