"""Windows that lie on the clock: counted from midnight at the site, on days of 23, 24 and 25 hours alike."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo

HOUR_S = 3_600
DAY_S = 86_400
_DAYS_KNOWN = 2_000


class Calendar:
    """The windows of one time zone, None for the system's own.

    A window never goes over midnight, so the last of a day may be shorter.
    """

    def __init__(self, zone: tzinfo | None) -> None:
        self._zone = zone
        self._day = (0, 0)
        self._midnights: dict[int, int] = {}

    def window(self, stamp_ms: int, size_s: int) -> tuple[int, int]:
        """Where the window that holds the stamp begins, and where it ends (ms). Over a day long: whole days."""
        if size_s >= DAY_S:
            return self._days(stamp_ms, size_s // DAY_S)
        begin, end = self.day(stamp_ms)
        start = stamp_ms - (stamp_ms - begin) % (size_s * 1000)
        return start, min(start + size_s * 1000, end)

    def cell(self, stamp_ms: int, size_s: int) -> tuple[int, int]:
        """The part of the window that lies within one hour: what windows, hours and days can all be made of."""
        hour, window = self.window(stamp_ms, HOUR_S), self.window(stamp_ms, size_s)
        return max(hour[0], window[0]), min(hour[1], window[1])

    def day(self, stamp_ms: int) -> tuple[int, int]:
        """The site's day that holds the stamp."""
        begin, end = self._day
        if not begin <= stamp_ms < end:
            ordinal = self._date(stamp_ms).toordinal()
            self._day = self._midnight(ordinal), self._midnight(ordinal + 1)
        return self._day

    def _days(self, stamp_ms: int, count: int) -> tuple[int, int]:
        first = self._date(stamp_ms).toordinal() // count * count
        return self._midnight(first), self._midnight(first + count)

    def _date(self, stamp_ms: int) -> date:
        # Reckoned from 1970, because `fromtimestamp` asks the platform, which may not know years far away.
        return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=stamp_ms)).astimezone(self._zone).date()

    def _midnight(self, ordinal: int) -> int:
        known = self._midnights.get(ordinal)
        if known is None:
            if len(self._midnights) >= _DAYS_KNOWN:
                self._midnights.clear()
            local = datetime.combine(date.fromordinal(ordinal), time(), self._zone)
            known = self._midnights[ordinal] = round(local.timestamp() * 1000)
        return known
