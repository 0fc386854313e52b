"""Answers that are frames, and false."""

from simulators.s7.faults import Faults
from simulators.s7.frames import data_frames

_REFERENCE, _FUNCTION = slice(4, 6), 12
_OTHER_FUNCTION = {4: 5, 5: 4}


def spoiled(message: bytes, faults: Faults) -> bytes:
    """An answer as it goes on the wire under the faults of the moment."""
    changed = bytearray(message)
    if faults.wrong_reference:
        changed[_REFERENCE] = (int.from_bytes(message[_REFERENCE], "big") + 1 & 0xFFFF).to_bytes(2, "big")
    if faults.wrong_function and len(message) > _FUNCTION:
        changed[_FUNCTION] = _OTHER_FUNCTION.get(message[_FUNCTION], 0x1F)
    return data_frames(bytes(changed), piece=faults.fragments, extra_length=faults.wrong_length)
