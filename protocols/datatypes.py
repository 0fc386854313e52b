"""Data types and byte orders by all the names that documents give them."""

import re
from functools import lru_cache

from protocols.base import S7_TYPES, ByteOrder, DataType
from protocols.errors import Refused

_ALIASES = {
    "BIT": DataType.BOOL,
    "SINT": DataType.INT8,
    "USINT": DataType.UINT8,
    "BYTE": DataType.UINT8,
    "INT": DataType.INT16,
    "UINT": DataType.UINT16,
    "WORD": DataType.UINT16,
    "DINT": DataType.INT32,
    "UDINT": DataType.UINT32,
    "DWORD": DataType.UINT32,
    "LINT": DataType.INT64,
    "ULINT": DataType.UINT64,
    "LWORD": DataType.UINT64,
    "REAL": DataType.FLOAT32,
    "FLOAT": DataType.FLOAT32,
    "LREAL": DataType.FLOAT64,
    "DOUBLE": DataType.FLOAT64,
    "TOD": DataType.TIME_OF_DAY,
    "DT": DataType.DATE_AND_TIME,
}
_SEPARATORS = re.compile(r"[-_\s]+")
_LETTERS = {
    ByteOrder.BIG_ENDIAN: ByteOrder.ABCD,
    ByteOrder.LITTLE_ENDIAN: ByteOrder.DCBA,
    ByteOrder.BIG_ENDIAN_SWAP: ByteOrder.BADC,
    ByteOrder.LITTLE_ENDIAN_SWAP: ByteOrder.CDAB,
}


def bare_name(text: str) -> str:
    """A name without case, ``-``, ``_`` and space, none of which tells two names of ours apart."""
    return _SEPARATORS.sub("", text).upper()


_TYPES = {bare_name(known): known for known in DataType} | _ALIASES
_ORDERS = {bare_name(known): known for known in ByteOrder}


@lru_cache(maxsize=256)
def parse_data_type(text: str) -> DataType:
    """``uint16``, ``WORD``, ``Float_32``: the type that is meant. Raises `Refused` on ``data_type``."""
    name = bare_name(text)
    if name not in _TYPES:
        known = ", ".join([*DataType, *_ALIASES])
        raise Refused("data_type", f"{text!r} is not a known type; expected one of {known}")
    return _TYPES[name]


@lru_cache(maxsize=256)
def parse_byte_order(text: str) -> ByteOrder:
    """``BIG_ENDIAN``, ``bigEndianSwap``, ``cdab``: the order that is meant. Raises `Refused` on ``byte_order``."""
    order = _ORDERS.get(bare_name(text))
    if order is None:
        raise Refused("byte_order", f"{text!r} is not a known order; expected one of {', '.join(ByteOrder)}")
    return order


def refuse_s7_types(data_type: DataType, protocol: str) -> None:
    """For the drivers of all other protocols. Raises `Refused` on ``data_type`` for a type that only S7 has."""
    if data_type in S7_TYPES:
        known = ", ".join(each for each in DataType if each not in S7_TYPES)
        raise Refused(
            "data_type", f"{data_type} is a type of Siemens S7 and not of {protocol}; expected one of {known}"
        )


def big_endian_letters(order: ByteOrder) -> ByteOrder:
    """The order in four letters, as a protocol understands it whose own order is ABCD."""
    return _LETTERS.get(order, order)
