"""Siemens's times and dates: from raw numbers and bytes to milliseconds and ISO texts, and back. None has a zone.

Every function raises `ValueError` for what is no time or date; dates come as text, as a person writes them.
"""

import struct
from datetime import date, datetime, time, timedelta

S5TIME_MOST_MS = 9_990_000
_S5TIME_BASES_MS = (10, 100, 1000, 10_000)
_DATE_ZERO = date(1990, 1, 1)
_DAY_MS = 86_400_000
_DTL = struct.Struct(">HBBBBBBI")
_NANOS = 10**9


def s5time_ms(raw: int) -> int:
    """The milliseconds of a word: three BCD digits times the base that bits 12 and 13 name."""
    return _decimal(raw & 0xFFF) * _S5TIME_BASES_MS[raw >> 12 & 3]


def s5time_word(ms: int) -> int:
    """The word of that many milliseconds on the finest base that has them. Raises `ValueError` if none has."""
    for code, base in enumerate(_S5TIME_BASES_MS):
        count, rest = divmod(ms, base)
        if not rest and 0 <= count <= 999:
            return code << 12 | int(str(count), 16)
    raise ValueError(f"{ms} ms is no S5TIME")


def date_text(days: int) -> str:
    """``2026-04-17``, of the days since 1990-01-01."""
    return (_DATE_ZERO + timedelta(days=days)).isoformat()


def date_days(text: str) -> int:
    """The days since 1990-01-01, 0 to 65535."""
    days = (date.fromisoformat(text) - _DATE_ZERO).days
    if not 0 <= days <= 0xFFFF:
        raise ValueError(f"{text} is not between 1990-01-01 and {date_text(0xFFFF)}")
    return days


def time_of_day_text(ms: int) -> str:
    """``08:00:00.123``, of the milliseconds since midnight."""
    if ms >= _DAY_MS:
        raise ValueError(f"{ms} ms is more than a day")
    return (datetime.min + timedelta(milliseconds=ms)).time().isoformat("milliseconds")


def time_of_day_ms(text: str) -> int:
    """The milliseconds since midnight."""
    at = time.fromisoformat(text)
    if at.tzinfo is not None:
        raise ValueError(f"{text} has a zone")
    return ((at.hour * 60 + at.minute) * 60 + at.second) * 1000 + at.microsecond // 1000


def date_and_time_text(raw: bytes) -> str:
    """``2026-04-17T08:00:00.123``, of eight bytes in BCD, the last digit being the day of the week."""
    year, month, day, hour, minute, second, hundredths = (_decimal(byte) for byte in raw[:7])
    ms = 10 * hundredths + _decimal(raw[7] >> 4)
    at = datetime(year + (1900 if year >= 90 else 2000), month, day, hour, minute, second, 1000 * ms)
    return at.isoformat(timespec="milliseconds")


def date_and_time_bytes(text: str) -> bytes:
    """Eight bytes in BCD; years from 1990 to 2089."""
    at = _moment(text)
    if not 1990 <= at.year <= 2089:
        raise ValueError(f"{text} is not between 1990 and 2089")
    hundredths, thousandth = divmod(at.microsecond // 1000, 10)
    pairs = (at.year % 100, at.month, at.day, at.hour, at.minute, at.second, hundredths)
    return bytes(int(str(pair), 16) for pair in pairs) + bytes([thousandth << 4 | _weekday(at)])


def dtl_text(raw: bytes) -> str:
    """``2026-04-17T08:00:00.123456789``, of twelve bytes; the fraction has three, six or nine digits, as needed."""
    year, month, day, _, hour, minute, second, nanos = _DTL.unpack(raw)
    if nanos >= _NANOS:
        raise ValueError(f"{nanos} ns is more than a second")
    at = datetime(year, month, day, hour, minute, second)
    digits = f"{nanos:09d}"
    while len(digits) > 3 and digits.endswith("000"):
        digits = digits[:-3]
    return f"{at.isoformat()}.{digits}"


def dtl_bytes(text: str) -> bytes:
    """Twelve bytes; years from 1970 to 2262."""
    whole, _, fraction = text.partition(".")
    at = _moment(whole)
    if not 1970 <= at.year <= 2262 or len(fraction) > 9 or not f"0{fraction}".isdecimal():
        raise ValueError(f"{text} is not between 1970 and 2262, to the nanosecond")
    nanos = int(fraction.ljust(9, "0"))
    return _DTL.pack(at.year, at.month, at.day, _weekday(at), at.hour, at.minute, at.second, nanos)


def _decimal(bcd: int) -> int:
    """The number whose decimal digits are the hexadecimal ones; fails for A to F."""
    return int(f"{bcd:x}")


def _weekday(at: datetime) -> int:
    """Siemens counts from Sunday, which is 1."""
    return at.isoweekday() % 7 + 1


def _moment(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is not None:
        raise ValueError(f"{text} has a zone")
    return at
