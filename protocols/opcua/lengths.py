"""Lengths that a message lies about, and that the library would believe until the memory is full."""

from typing import NoReturn

from asyncua.common.utils import Buffer
from asyncua.ua import ua_binary
from asyncua.ua.uaerrors import UaError


class _NullArrays:
    """An element of nothing takes no bytes, so that any number of them would fit into any message."""

    @staticmethod
    def unpack_array(_data: Buffer, length: int) -> NoReturn:
        raise UaError(f"an array of {length} times nothing")


def _unpack_bytes(data: Buffer) -> bytes | None:
    length: int = ua_binary.Primitives.Int32.unpack(data)
    if length < -1:  # it would be read again and again, for the position would go back
        raise UaError(f"a text or byte string of {length} bytes")
    return None if length == -1 else data.read(length)


def refuse_impossible_lengths() -> None:
    """Have the library refuse them, wherever in a message they are; to be called before it reads the first one."""
    ua_binary.Primitives1.Null = _NullArrays  # type: ignore[attr-defined]
    ua_binary._Bytes.unpack = staticmethod(_unpack_bytes)  # type: ignore[method-assign, assignment]
