"""Validators that take what databases and hands write for what it means, and note each time they do.

Each runs before pydantic's own check of the field's type, which its result always satisfies. With a `Reading` as
validation context the readings are noted under their JSON path; without one the result is the same, only silent.
What can not be meant raises a `PydanticCustomError` whose type is the refusal's code and whose message says what
was found and what is expected.
"""

import re
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from typing import TypeVar

from pydantic import BeforeValidator, ValidationInfo
from pydantic_core import PydanticCustomError

from fleet_client.notes import note_reading, shown

T = TypeVar("T")

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_PLAIN_INTEGER = re.compile(r"0|[1-9]\d{0,17}", re.ASCII)
_ZERO = Decimal(0)
_MAX_DIGITS = 50
_SHORT = 64
_LONGEST = 4_096
_MAX_EXPONENT = 308  # a double's range: what lies beyond could not be sent anyway
_YES = ("y", "yes", "true", "t", "on", "1")
_NO = ("n", "no", "false", "f", "off", "0")
_FLAGS = dict.fromkeys(_YES, True) | dict.fromkeys(_NO, False)


def refused(code: str, found: object, expected: str) -> PydanticCustomError:
    """The error of a value that can be taken for nothing that is expected."""
    return PydanticCustomError(code, f"found {shown(found)}, expected {expected}")


def text(max_length: int) -> BeforeValidator:
    """Text of up to ``max_length`` characters, trimmed; a number is taken for its digits."""
    return _noting(lambda sent: _one_for_all(as_text(sent, max_length)))


def upper_text(max_length: int) -> BeforeValidator:
    """Text as `text` takes it, in upper case."""
    return _noting(lambda sent: as_text(sent, max_length).upper())


def one_of(*names: str) -> BeforeValidator:
    """One of the names, in any case, with spaces and hyphens for underscores."""
    expected = "one of " + ", ".join(names)

    def take(sent: object) -> str:
        if type(sent) is not str:
            raise refused("wrong_type", sent, expected)
        name = sent.strip().lower().replace("-", "_").replace(" ", "_")
        if name not in names:
            raise refused("unknown_value", sent, expected)
        return name

    return _noting(take)


def flag() -> BeforeValidator:
    """True or false, also as 1 and 0, Y and N, yes and no, on and off."""
    return _noting(_as_flag)


def whole(low: int, high: int, unit: str = "") -> BeforeValidator:
    """A whole number from ``low`` to ``high``, also as text or with a fraction of zero."""
    expected = f"a whole number from {low:,} to {high:,}{unit and ' '}{unit}"

    def take(sent: object) -> int:
        if type(sent) is int and low <= sent <= high:
            return sent
        number = as_number(sent, expected)
        if not low <= number <= high:
            raise refused("out_of_range", sent, expected)
        if number != number.to_integral_value():
            raise refused("wrong_type", sent, expected)
        return int(number)

    return _noting(take)


def number(*, at_least_zero: bool = False, above_zero: bool = False, not_zero: bool = False) -> BeforeValidator:
    """An exact decimal number, also as text."""
    expected = "a number" + (
        " of at least 0" if at_least_zero else " above 0" if above_zero else " other than 0" if not_zero else ""
    )

    def take(sent: object) -> Decimal:
        value = as_number(sent, expected)
        wrong = (at_least_zero and value < 0) or (above_zero and value <= 0) or (not_zero and value == 0)
        if wrong:
            raise refused("out_of_range", sent, expected)
        return value

    return _noting(take)


def identity() -> BeforeValidator:
    """An id of the server's own: a whole number, also as text, or else text of up to 256 characters."""
    return _noting(number_if_one)


def number_if_one(sent: object) -> int | str:
    """An id as a number when it is one (``"1"`` but not ``"01"``), else as text."""
    taken = as_text(sent, 256)
    return int(taken) if _PLAIN_INTEGER.fullmatch(taken) else taken


def as_text(sent: object, max_length: int) -> str:
    """Trimmed text; of a number its digits, without exponent and without a fraction of zero."""
    taken = sent.strip() if type(sent) is str else _digits(sent)
    if not taken.isascii() and not encodable(taken):
        raise refused("wrong_type", sent, "text that UTF-8 can carry, without lone surrogates")
    if len(taken) > max_length:
        raise PydanticCustomError("too_long", f"found {len(taken):,} characters, expected at most {max_length:,}")
    return taken


def as_number(sent: object, expected: str) -> Decimal:
    """The exact decimal that was sent: finite, of at most 50 digits, in a double's range."""
    match sent:
        case bool():
            raise refused("wrong_type", sent, expected)
        case Decimal():
            value = sent
        case int():
            value = Decimal(sent)
        case float():
            value = Decimal(repr(sent))
        case str() if len(sent) <= _LONGEST and _NUMBER.fullmatch(sent.strip()):
            value = _exact(sent.strip()) if len(sent) <= _SHORT else Decimal(sent.strip())
        case _:
            raise refused("wrong_type", sent, expected)
    if value.is_nan():
        raise refused("not_a_number", sent, expected)
    if value == 0:
        return _ZERO
    if not value.is_finite() or abs(value.adjusted()) > _MAX_EXPONENT or len(value.as_tuple().digits) > _MAX_DIGITS:
        raise refused("out_of_range", sent, f"{expected}, of at most {_MAX_DIGITS} digits and in a double's range")
    return value


def _one_for_all(taken: str) -> str:
    """Devices of one make have the same names and addresses: each is kept once."""
    return _shared(taken) if len(taken) <= _SHORT else taken


@lru_cache(maxsize=8192)
def _shared(taken: str) -> str:
    return taken


@lru_cache(maxsize=1024)  # many tags share few scales
def _exact(digits: str) -> Decimal:
    return Decimal(digits)


def _noting(take: Callable[[object], T]) -> BeforeValidator:
    def read(sent: object, info: ValidationInfo) -> T:
        taken = take(sent)
        if not _same(sent, taken):
            note_reading(info, sent, taken)
        return taken

    return BeforeValidator(read)


def _same(sent: object, taken: object) -> bool:
    """Whether a reading is none worth a note: the same value, but for spaces around it."""
    if type(sent) is str:
        return type(taken) is str and sent.strip() == taken
    if type(sent) is bool or type(taken) is bool:
        return sent is taken
    if type(taken) is int:
        return type(sent) is int
    return type(taken) is Decimal


def _as_flag(sent: object) -> bool:
    if type(sent) is bool:
        return sent
    word = sent.strip().lower() if type(sent) is str else _flag_digit(sent)
    if word not in _FLAGS:
        raise refused("wrong_type", sent, "true or false")
    return _FLAGS[word]


def _flag_digit(sent: object) -> str:
    return str(int(sent)) if isinstance(sent, int | Decimal) and sent in (0, 1) else ""


def _digits(sent: object) -> str:
    if isinstance(sent, str):
        return sent.strip()
    if not isinstance(sent, int | float | Decimal):
        raise refused("wrong_type", sent, "text")
    value = as_number(sent, "text")
    return str(int(value)) if value == value.to_integral_value() else format(value, "f")


def encodable(taken: str) -> bool:
    """Whether UTF-8 can carry the text: JSON escapes can name halves of characters, which it can not."""
    try:
        taken.encode()
    except UnicodeEncodeError:
        return False
    return True
