"""Which tags of a scan are published: all of them, or for devices with `publish: on_change` those that changed."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Context, Decimal

from collector.clock import Clock
from collector.config.plan import Deadband, DevicePlan, OnChange
from collector.polling.scan import Scan
from protocols.base import Value
from protocols.quality import Quality

_IN_DOUBT = 1e-9
_EXACT = Context(prec=1_000)  # digits enough for the sum of any two doubles


@dataclass(slots=True)
class _Known:
    """What the subscribers know of a device: the last published value and quality of each tag.

    A tag in `owed` goes out with its next value, changed or not. `refresh_at` is monotonic, in seconds.
    """

    plan: DevicePlan
    deadbands: Mapping[str, Deadband]
    refresh_at: float
    published: dict[str, tuple[Value | None, Quality | None]] = field(default_factory=dict)
    owed: set[str] = field(default_factory=set)


class Changes:
    """Keeps the state of each device, beginning anew with every new plan of it.

    `send_empty`: a cycle without any value is published too; otherwise what it changed waits for one that has some.
    """

    def __init__(self, clock: Clock, *, send_empty: bool) -> None:
        self._clock = clock
        self._send_empty = send_empty
        self._devices: dict[str, _Known] = {}

    def of(self, scan: Scan) -> Scan | None:
        """The scan with the tags to be published, the very same if it is all of them, None if it is none."""
        rule = scan.device.on_change
        if rule is None:
            return scan
        known = self._known(scan.device, rule)
        chosen = [position for position in range(len(scan.names)) if _is_due(scan, position, known)]
        if scan.empty and not self._send_empty:
            known.owed.update(scan.names[position] for position in chosen)
            return None
        for position in chosen:
            name = scan.names[position]
            known.published[name] = (scan.values[position], scan.bad.get(position))
            known.owed.discard(name)
        return _only(scan, chosen)

    def _known(self, plan: DevicePlan, rule: OnChange) -> _Known:
        now = self._clock.monotonic()
        known = self._devices.get(plan.id)
        if known is None or known.plan is not plan:
            # Whoever is due for everything has no state worth keeping: it may be a device that is gone.
            self._devices = {key: each for key, each in self._devices.items() if each.refresh_at > now}
            known = self._devices[plan.id] = _Known(plan, dict(rule.deadbands), now)
        if now >= known.refresh_at:
            known.refresh_at += (int((now - known.refresh_at) / rule.max_s) + 1) * rule.max_s
            known.owed.update(plan.names)
        return known


def _is_due(scan: Scan, position: int, known: _Known) -> bool:
    name = scan.names[position]
    if name in known.owed:
        return True
    value, quality = known.published[name]
    if scan.bad.get(position) is not quality:
        return True
    return moved(value, scan.values[position], known.deadbands.get(name))


def moved(published: Value | None, value: Value | None, band: Deadband | None) -> bool:
    """Whether a value moved by at least the deadband, in decimal; of an array, whether one element did.

    Texts and truth values move when they change, whatever the deadband.
    """
    if value == published and isinstance(value, bool) == isinstance(published, bool):
        return False
    if band is None:
        return True
    if isinstance(value, list) and isinstance(published, list) and len(value) == len(published):
        return any(moved(before, now, band) for before, now in zip(published, value, strict=True))
    if not isinstance(value, int | float) or not isinstance(published, int | float):
        return True
    if isinstance(value, bool) or isinstance(published, bool):
        return True
    return _is_far(published, value, band)


def _is_far(published: float, value: float, band: Deadband) -> bool:
    """In doubles where that is clear beyond doubt, else in decimal, which takes ten times as long."""
    distance, size = abs(value - published), abs(published)
    least = max(float(band.distance), size * float(band.percent) / 100)
    if abs(distance - least) > _IN_DOUBT * (abs(value) + size + least):
        return distance > least
    before, now = Decimal(repr(published)), Decimal(repr(value))
    percents = _EXACT.multiply(before.copy_abs(), band.percent)
    return _EXACT.subtract(now, before).copy_abs() >= max(band.distance, _EXACT.scaleb(percents, -2))


def _only(scan: Scan, positions: list[int]) -> Scan | None:
    if len(positions) == len(scan.names):
        return scan
    if not positions:
        return None
    return replace(
        scan,
        names=tuple(scan.names[position] for position in positions),
        values=[scan.values[position] for position in positions],
        bad={new: scan.bad[old] for new, old in enumerate(positions) if old in scan.bad},
        reduced=True,
    )
