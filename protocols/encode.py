"""The codec's inverse: an engineering value into the bytes that a block decodes to it."""

import math
import struct
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

from protocols.base import DataType, Scalar, Value
from protocols.errors import Unwritable
from protocols.layout import WIDTHS, Field, Reading, as_it_came, view_and_endian

_FLOATS = {DataType.FLOAT32: "f", DataType.FLOAT64: "d"}
_SIGNED = (DataType.INT8, DataType.INT16, DataType.INT32, DataType.INT64)
_BCD_LIMITS = {DataType.BCD16: 9_999, DataType.BCD32: 99_999_999}


def encode_value(reading: Reading, value: Value) -> bytes:
    """The bytes of one tag as they stand in a block (see `protocols.codec`), e.g. the words of its registers.

    raw = round-half-even((value - offset) / scale), exact in decimal. A BOOL is a word, 0 or 1 (see `encode_bits` for
    one that is a bit); between array elements with a stride the bytes are 0; a STRING is filled up with NUL, and to
    a whole word where its bytes are swapped. Raises `Unwritable`: ``wrong_type`` for a value of another kind (a text
    for a number, a number for a BOOL but 0 and 1, an array of another length), ``out_of_range`` for what the type,
    the BCD digits or the string's bytes can not hold.
    """
    view, endian = view_and_endian(Field(0, 0, reading))
    if reading.data_type is DataType.STRING:
        text = _text(reading, value)
        return text if view is as_it_came else view(text + b"\0" * (len(text) % 2))
    raws = [_raw(reading, element) for element in _elements(reading, value)]
    gap = b"\0" * max(reading.stride - WIDTHS[reading.data_type], 0)
    return view(gap.join(_packed(raw, reading.data_type, endian) for raw in raws))


def encode_bits(reading: Reading, value: Value) -> list[bool]:
    """The bits of a BOOL or of an array of them, in the array's order. Raises `Unwritable` as `encode_value` does."""
    return [_truth(element) for element in _elements(reading, value)]


def _elements(reading: Reading, value: Value) -> Sequence[Value]:
    if reading.count is None:
        return [value]
    if not isinstance(value, list) or len(value) != reading.count:
        raise Unwritable("wrong_type", f"{_shown(value)} is no array of {reading.count} {reading.data_type}")
    return value


def _raw(reading: Reading, value: Value) -> int | float:
    data_type = reading.data_type
    if data_type is DataType.BOOL:
        return _truth(value)
    number = _number(value, data_type)
    if data_type in _FLOATS:
        return _float(reading, number)
    raw = round(_unscaled(reading, number))
    least, most = _limits(data_type)
    if not least <= raw <= most:
        as_raw = "" if reading.scaling.is_identity else f", raw {_shown(raw)}"
        message = f"{_shown(value)}{as_raw}, does not fit into {data_type}, which holds {least} to {most}"
        raise Unwritable("out_of_range", message)
    return int(str(raw), 16) if data_type in _BCD_LIMITS else raw


def _truth(value: Value) -> bool:
    if isinstance(value, bool | int | float) and value in (0, 1):
        return bool(value)
    raise Unwritable("wrong_type", f"{_shown(value)} is no BOOL; expected true or false, or 1 or 0")


def _number(value: Value, data_type: DataType) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Unwritable("wrong_type", f"{_shown(value)} is no number, as {data_type} is")
    if isinstance(value, float) and not math.isfinite(value):
        raise Unwritable("wrong_type", f"{value} is no finite number")
    return value


def _float(reading: Reading, number: int | float) -> float:
    if reading.scaling.is_identity and isinstance(number, float):
        return number  # as it is: a fraction knows no negative zero
    try:
        return float(_unscaled(reading, number))
    except OverflowError:
        raise _too_large(reading.data_type, number) from None


def _unscaled(reading: Reading, number: int | float) -> Fraction:
    """The raw value, exactly; a float counts as the shortest decimal that names it, as a person wrote it."""
    scaling = reading.scaling
    exact = Fraction(number) if isinstance(number, int) else Fraction(Decimal(repr(number)))
    return (exact * scaling.divisor - scaling.addend) / scaling.multiplier


def _packed(raw: int | float, data_type: DataType, endian: str) -> bytes:
    if isinstance(raw, int):
        return raw.to_bytes(WIDTHS[data_type], "big" if endian == ">" else "little", signed=raw < 0)
    try:
        return struct.pack(endian + _FLOATS[data_type], raw)
    except OverflowError:
        raise _too_large(data_type, raw) from None


def _text(reading: Reading, value: Value) -> bytes:
    size = reading.count or 0
    if not isinstance(value, str):
        raise Unwritable("wrong_type", f"{_shown(value)} is no text, as STRING is")
    try:
        text = value.encode(reading.encoding)
    except UnicodeEncodeError as error:
        message = f"{_shown(value)} has {value[error.start]!r}, which {reading.encoding} can not write"
        raise Unwritable("out_of_range", message) from None
    if b"\0" in text:
        raise Unwritable("out_of_range", f"{_shown(value)} has a NUL in it, at which the PLC's text would end")
    if len(text) > size:
        message = f"{_shown(value)} takes {len(text)} bytes in {reading.encoding}; the tag has {size}"
        raise Unwritable("out_of_range", message)
    return text.ljust(size, b"\0")


def _limits(data_type: DataType) -> tuple[int, int]:
    if data_type in _BCD_LIMITS:
        return 0, _BCD_LIMITS[data_type]
    bits = 8 * WIDTHS[data_type]
    return (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if data_type in _SIGNED else (0, 2**bits - 1)


def _too_large(data_type: DataType, value: Value) -> Unwritable:
    return Unwritable("out_of_range", f"{_shown(value)} is larger than a {data_type} can be")


def _shown(value: Value | Scalar) -> str:
    """A value for a message, cut where it is long: a command may send anything."""
    if isinstance(value, int) and abs(value) >= 10**40:
        return "a number of over 40 digits"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
