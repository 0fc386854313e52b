"""What a document asks of a device's tags beyond reading them: texts, alarms, changes, writing. Pure."""

from collections.abc import Sequence
from decimal import Decimal

from collector.config.plan import Deadband, Labels, OnChange, Thresholds, WriteRule
from fleet_client import document
from fleet_client.document import DeviceConfig, TagConfig


def labels(tags: Sequence[TagConfig]) -> tuple[Labels, ...]:
    """The texts that stand for a value."""
    return tuple(Labels(position, tuple(tag.value_map.items())) for position, tag in enumerate(tags) if tag.value_map)


def write_rules(tags: Sequence[TagConfig]) -> tuple[WriteRule, ...]:
    """What may be written, and how much of it."""
    return tuple(
        WriteRule(position, tag.write_min, tag.write_max, tag.write_max_step)
        for position, tag in enumerate(tags)
        if tag.writable
    )


def thresholds(tags: Sequence[TagConfig]) -> tuple[tuple[str, Thresholds], ...]:
    """From where on a value is an alarm."""
    return tuple((tag.name, _limits(tag.thresholds)) for tag in tags if tag.thresholds is not None)


def _limits(sent: document.Thresholds) -> Thresholds:
    return Thresholds(
        low_low=_float(sent.low_low),
        low=_float(sent.low),
        high=_float(sent.high),
        high_high=_float(sent.high_high),
        hysteresis=float(sent.hysteresis),
        delay_s=float(sent.delay_sec),
    )


def _float(limit: Decimal | None) -> float | None:
    return None if limit is None else float(limit)


def on_change(device: DeviceConfig, tags: Sequence[TagConfig]) -> OnChange | None:
    """What counts as a change, where only changes are published."""
    if device.publish != "on_change":
        return None
    deadbands = (
        (tag.name, Deadband(tag.deadband or Decimal(0), tag.deadband_percent or Decimal(0)))
        for tag in tags
        if tag.deadband or tag.deadband_percent
    )
    return OnChange(float(device.publish_max_sec), tuple(deadbands))
