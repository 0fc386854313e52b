"""A history that is a known curve and alarms that are raised by hand, for those who look at the page."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from collector.alarms.errors import ThresholdsRefused, UnknownAlarm
from collector.config.plan import Thresholds
from protocols.base import Value

PERIOD_S = 600.0
MEAN, SWING = 50.0, 30.0


def sine(stamp_ms: int) -> float:
    """The curve: a period of ten minutes from 20 to 80."""
    return MEAN + SWING * math.sin(2 * math.pi * stamp_ms / 1000 / PERIOD_S)


@dataclass(frozen=True, slots=True)
class CurveSeries:
    """A stretch of the curve."""

    device_id: str
    tag: str
    resolution_s: int
    start_ms: list[int]
    minimum: list[float | None]
    maximum: list[float | None]
    mean: list[float | None]
    first: list[Value | None]
    last: list[Value | None]
    count: list[int]
    good_share: list[float]


@dataclass(frozen=True, slots=True)
class CurveFigures:
    """What a stretch of the curve comes to."""

    counted: int
    minimum: float
    maximum: float
    mean: float
    first: Value | None
    last: Value | None

    @classmethod
    def of(cls, curve: CurveSeries) -> "CurveFigures":
        means = [mean for mean in curve.mean if mean is not None]
        return cls(len(means), min(means), max(means), sum(means) / len(means), means[0], means[-1])


@dataclass(frozen=True, slots=True)
class CurveTotal:
    """The same, and all of it good."""

    summary: CurveFigures
    good_share: float = 1.0


@dataclass(frozen=True, slots=True)
class CurveDepth:
    """As deep as it takes."""

    raw_since_ms: int | None = 1_776_000_000_000
    windows_since_ms: int | None = 1_775_000_000_000
    hours_since_ms: int | None = 1_774_000_000_000
    days_since_ms: int | None = 1_770_000_000_000
    bytes: int = 123 << 20
    limit_bytes: int = 1 << 30
    written_per_day_bytes: int | None = 300 << 20


class CurveHistory:
    """Every tag of every device is `sine`, a value a second; raw up to half an hour."""

    async def series(
        self,
        device_id: str,
        tag: str,
        start_ms: int,
        end_ms: int,
        *,
        max_points: int = 2000,
        resolution_s: int | None = None,
    ) -> CurveSeries:
        widths = (0, 10, 60, 600, 3600, 86_400, 7 * 86_400)
        if resolution_s is None:
            fitting = (width for width in widths if (end_ms - start_ms) / 1000 / (width or 1) <= max_points)
            resolution_s = next(fitting, widths[-1])
        step_ms = (resolution_s or 1) * 1000
        stamps = list(range(-(-start_ms // step_ms) * step_ms, end_ms, step_ms))[:50_000]
        means: list[float | None] = [sine(stamp + (step_ms // 2 if resolution_s else 0)) for stamp in stamps]
        spread = 0 if resolution_s == 0 else SWING if resolution_s > PERIOD_S else SWING * resolution_s / PERIOD_S
        lows: list[float | None] = [mean - spread for mean in means if mean is not None]
        highs: list[float | None] = [mean + spread for mean in means if mean is not None]
        counts = [resolution_s or 1] * len(stamps)
        firsts: list[Value | None] = [*means]
        figures = lows, highs, means, firsts, firsts, counts, [1.0] * len(stamps)
        return CurveSeries(device_id, tag, resolution_s, stamps, *figures)

    async def aggregates(
        self, device_id: str, tags: Sequence[str], start_ms: int, end_ms: int, *, per: Literal["hour", "day"] = "hour"
    ) -> list[CurveSeries]:
        width_s = 3_600 if per == "hour" else 86_400
        return [await self.series(device_id, tag, start_ms, end_ms, resolution_s=width_s) for tag in tags]

    async def totals(self, device_id: str, tags: Sequence[str], start_ms: int, end_ms: int) -> list[CurveTotal]:
        curves = [await self.series(device_id, tag, start_ms, end_ms) for tag in tags]
        return [CurveTotal(CurveFigures.of(curve)) for curve in curves]

    async def depth(self) -> CurveDepth:
        return CurveDepth()


@dataclass(frozen=True, slots=True)
class HandAlarm:
    """An alarm as its engine would tell it."""

    id: int
    device_id: str
    device_name: str
    tag: str | None
    level: str
    state: str = "raised"
    value: float | None = None
    limit: float | None = None
    since_ms: int = 0
    left_ms: int | None = None
    acknowledged_ms: int | None = None


@dataclass(slots=True)
class HandAlarms:
    """Raised by the test, acknowledged by the page."""

    alarms: dict[int, HandAlarm] = field(default_factory=dict)
    acknowledged_by: list[tuple[int, str]] = field(default_factory=list)
    limits: dict[tuple[str, str], Thresholds] = field(default_factory=dict)

    def raise_alarm(self, alarm: HandAlarm) -> None:
        self.alarms[alarm.id] = alarm

    def active(self) -> Sequence[HandAlarm]:
        return [alarm for alarm in self.alarms.values() if alarm.left_ms is None]

    async def history(self, start_ms: int, end_ms: int, limit: int) -> Sequence[HandAlarm]:
        return [alarm for alarm in self.alarms.values() if start_ms <= alarm.since_ms < end_ms][:limit]

    def acknowledge(self, alarm_id: int, by: str) -> HandAlarm:
        if (alarm := self.alarms.get(alarm_id)) is None:
            raise UnknownAlarm(f"no alarm {alarm_id}")
        self.acknowledged_by.append((alarm_id, by))
        self.alarms[alarm_id] = replace(alarm, state="acknowledged", acknowledged_ms=alarm.since_ms + 1000)
        return self.alarms[alarm_id]

    def thresholds(self, device_id: str, tag: str) -> Thresholds | None:
        return self.limits.get((device_id, tag))

    def set_thresholds(self, device_id: str, tag: str, thresholds: Thresholds) -> None:
        rising = (thresholds.low_low, thresholds.low, thresholds.high, thresholds.high_high)
        limits = [limit for limit in rising if limit is not None]
        if not limits or limits != sorted(limits):
            raise ThresholdsRefused("expected low_low <= low <= high <= high_high, at least one of them")
        self.limits[device_id, tag] = thresholds

    def remove_thresholds(self, device_id: str, tag: str) -> None:
        self.limits.pop((device_id, tag), None)
