"""What the bytes of a few registers can mean: every type in every order, and text."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from protocols.base import ByteOrder, Cycle, DataType, Scalar
from protocols.codec import BlockDecoder
from protocols.layout import WIDTHS, Field, Reading, words_swapped
from protocols.text import decode_text

ORDERS = (ByteOrder.ABCD, ByteOrder.CDAB, ByteOrder.BADC, ByteOrder.DCBA)
TEXT_ENCODINGS = ("utf-8", "cp949")
TYPES = (
    DataType.INT16, DataType.UINT16, DataType.BCD16, DataType.INT32, DataType.UINT32, DataType.FLOAT32, DataType.BCD32,
    DataType.INT64, DataType.UINT64, DataType.FLOAT64,
)  # fmt: skip
_PLAUSIBLE = (1e-4, 1e9)


@dataclass(frozen=True, slots=True)
class Decoding:
    """The beginning of the bytes as one type: its value in each order that it has one in."""

    data_type: DataType
    values: Mapping[ByteOrder, Scalar]


def decodings(raw: bytes) -> tuple[Decoding, ...]:
    """The numbers that `raw`, registers with the high byte first, can begin with."""
    return tuple(
        Decoding(data_type, {order: value for order in ORDERS if (value := _number(raw, data_type, order)) is not None})
        for data_type in TYPES
        if WIDTHS[data_type] <= len(raw)
    )


def texts(raw: bytes) -> Mapping[str, str]:
    """The texts that `raw` can be, by encoding, and by ``… swapped`` with the low byte of each register first."""
    ways = [(encoding, raw) for encoding in TEXT_ENCODINGS]
    ways += [(f"{encoding} swapped", words_swapped(raw)) for encoding in TEXT_ENCODINGS]
    return {way: text for way, field in ways if (text := _text(field, way.partition(" ")[0]))}


def is_plausible(value: Scalar) -> bool:
    """Whether a plant is likely to have such a value: a fraction that is neither next to nothing nor beyond all."""
    least, most = _PLAUSIBLE
    return value == 0 or not isinstance(value, float) or least <= abs(value) <= most


def hex_words(raw: bytes) -> str:
    """``00FE 4248``: the registers as they came."""
    return raw.hex(" ", 2).upper()


def as_bytes(words: Sequence[object]) -> bytes:
    """Registers that were read as numbers, high byte first."""
    return b"".join(word.to_bytes(2, "big") for word in words if isinstance(word, int))


def _number(raw: bytes, data_type: DataType, order: ByteOrder) -> Scalar | None:
    cycle = Cycle([None])
    BlockDecoder([Field(0, 0, Reading(data_type, order))]).decode(raw, cycle)
    value = cycle.values[0]
    return None if isinstance(value, list) or (isinstance(value, float) and not math.isfinite(value)) else value


def _text(field: bytes, encoding: str) -> str | None:
    try:
        text = decode_text(field, encoding)
    except UnicodeDecodeError:
        return None
    return text if text.isprintable() else None
