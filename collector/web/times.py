"""Moments, stretches and resolutions as a person writes them in a query."""

import re
from datetime import UTC, date, datetime, timedelta, tzinfo

EXPECTED_TIME = "expected now(), -1h, now()-1h (s m h d w) or an ISO time such as 2026-01-07T08:00:00+09:00"
EXPECTED_DATE = "expected a date such as 20260107 or 2026-01-07"
EXPECTED_RESOLUTION = "expected auto, raw, or a width such as 10s, 1m, 1h, 1d"

LATEST_MS = 4_102_444_800_000  # 2100: what lies behind it is a slip of the pen
_RELATIVE = re.compile(r"(?:now(?:\(\))?)?\s*(?:([+-])\s*(\d{1,9})\s*(ms|s|m|h|d|w))?", re.IGNORECASE)
_WIDTH = re.compile(r"(\d{1,7})\s*(s|m|h|d)", re.IGNORECASE)
_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}


def moment_ms(text: str, now_ms: int, zone: tzinfo | None) -> int:
    """The wall time in ms. A time without an offset is the site's. Raises `ValueError` with what is expected."""
    text = text.strip()
    if text and (relative := _RELATIVE.fullmatch(text)):
        sign, number, unit = relative.groups()
        moved = int(number) * _MS[unit.lower()] * (-1 if sign == "-" else 1) if number else 0
        return _within(now_ms + moved)
    if text.isascii() and text.isdigit() and len(text) > 9:
        return _within(int(text))
    try:
        # A plus in a query is a blank unless it was written as %2B.
        return _within(_stamp(datetime.fromisoformat(re.sub(r" (\d\d:?\d\d)$", r"+\1", text)), zone))
    except (ValueError, OverflowError, OSError):
        raise ValueError(EXPECTED_TIME) from None


def day_of(text: str) -> date:
    """The date. Raises `ValueError` with what is expected."""
    try:
        day = date.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(EXPECTED_DATE) from None
    if not 1970 <= day.year < 2100 or "W" in text.upper():
        raise ValueError(EXPECTED_DATE)
    return day


def day_start_ms(day: date, zone: tzinfo | None) -> int:
    """When the day begins at the site."""
    return max(0, _stamp(datetime(day.year, day.month, day.day), zone))


def days_stretch_ms(first: date, last: date, zone: tzinfo | None) -> tuple[int, int]:
    """From the begin of the first day to the end of the last."""
    return day_start_ms(first, zone), day_start_ms(last + timedelta(days=1), zone)


def resolution_s(text: str) -> int | None:
    """Seconds; 0 is raw, None is auto. Raises `ValueError` with what is expected."""
    word = text.strip().lower()
    if word in ("auto", "raw"):
        return 0 if word == "raw" else None
    width = _WIDTH.fullmatch(word)
    if width is None or not (seconds := int(width[1]) * _MS[width[2]] // 1000) or seconds > 366 * 86_400:
        raise ValueError(EXPECTED_RESOLUTION)
    return seconds


def _stamp(moment: datetime, zone: tzinfo | None) -> int:
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=zone) if zone else moment.astimezone()
    return (aware - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def _within(stamp_ms: int) -> int:
    if not 0 <= stamp_ms < LATEST_MS:
        raise ValueError(EXPECTED_TIME)
    return stamp_ms
