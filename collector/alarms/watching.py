"""Which limits hold for which tags: the document's, and those set here where it names none."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from collector.alarms.alarm import Level, Source
from collector.alarms.limits import Limit, limits_of
from collector.config.plan import DevicePlan, Thresholds
from collector.polling.scan import Scan

Watched = tuple[str, list[Limit]]
_KINDS_KNOWN = 8


class DeviceWatch:
    """The limits of one device's tags, and where in its scans these are."""

    def __init__(self, tags: Mapping[str, list[Limit]]) -> None:
        self._tags = tags
        self._places: list[tuple[tuple[str, ...], list[tuple[int, str, list[Limit]]]]] = []

    def limits(self) -> Iterator[tuple[str, Limit]]:
        """Each with its tag."""
        for tag, limits in self._tags.items():
            for limit in limits:
                yield tag, limit

    def places(self, scan: Scan) -> Sequence[tuple[int, str, list[Limit]]]:
        """Where in this scan a tag with limits is, the tag, and these."""
        for names, places in self._places:
            if names is scan.names or names == scan.names:
                return places
        places = [(place, name, self._tags[name]) for place, name in enumerate(scan.names) if name in self._tags]
        if len(self._places) >= _KINDS_KNOWN:
            self._places.clear()
        self._places.append((scan.names, places))
        return places


def watch_device(
    device: DevicePlan, thresholds: Callable[[str], Thresholds | None], raised: Callable[[Source], bool]
) -> DeviceWatch | None:
    """What is to be watched of a device; None if nothing is. A limit begins as `raised` says."""
    tags = {name: limits for name in device.names if (limits := _limits(device.id, name, thresholds(name), raised))}
    return DeviceWatch(tags) if tags else None


def _limits(device_id: str, tag: str, thresholds: Thresholds | None, raised: Callable[[Source], bool]) -> list[Limit]:
    if thresholds is None:
        return []
    return [
        Limit(
            level,
            limit,
            hysteresis=thresholds.hysteresis,
            delay_s=thresholds.delay_s,
            raised=raised((device_id, tag, Level(level))),
        )
        for level, limit in limits_of(thresholds)
    ]
