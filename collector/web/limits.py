"""The limits of a tag: those of the document, else those set on this gateway."""

from collector.web import answers
from collector.web.catalogue import TagEntry
from collector.web.sources import AlarmSource
from fleet_client.document import Thresholds


def limits_of(alarms: AlarmSource | None, device_id: str, tag: TagEntry) -> answers.Limits | None:
    """Those in force; None where there are none."""
    found = tag.thresholds or (None if alarms is None else alarms.thresholds(device_id, tag.name))
    return None if found is None else as_limits(found)


def as_limits(thresholds: Thresholds) -> answers.Limits:
    """As numbers that JSON has."""

    def number(limit: object) -> float | None:
        return None if limit is None else float(str(limit))

    return answers.Limits(
        number(thresholds.low_low),
        number(thresholds.low),
        number(thresholds.high),
        number(thresholds.high_high),
        float(thresholds.hysteresis),
        float(thresholds.delay_sec),
    )
