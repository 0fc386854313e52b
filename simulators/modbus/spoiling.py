"""Answers that are frames, and false."""

from dataclasses import replace

from simulators.modbus.faults import Faults
from simulators.modbus.frames import Frame, Framing

_NORMAL_ANSWER = 0x80


def spoiled(frame: Frame, framing: Framing, faults: Faults) -> bytes:
    """An answer as it goes on the wire under the faults of the moment."""
    if faults.wrong_transaction:
        frame = replace(frame, transaction=(frame.transaction + 1) & 0xFFFF)
    if faults.wrong_unit:
        frame = replace(frame, unit=(frame.unit + 1) & 0xFF)
    if faults.wrong_function:
        frame = replace(frame, pdu=bytes((_other_function(frame.pdu[0]),)) + frame.pdu[1:])
    if faults.fewer:
        frame = replace(frame, pdu=_with_fewer(frame.pdu))
    return framing.encode(frame, extra_length=faults.wrong_length, wrong_checksum=faults.wrong_checksum)


def _other_function(function: int) -> int:
    """A function of the same shape of answer, so that nothing but the code is wrong."""
    return {1: 2, 2: 1, 3: 4, 4: 3, 5: 6, 6: 5, 15: 16, 16: 15}.get(function, function ^ 1)


def _with_fewer(pdu: bytes) -> bytes:
    if pdu[0] >= _NORMAL_ANSWER or pdu[0] > 4:
        return pdu
    missing = 1 if pdu[0] <= 2 else 2
    return bytes((pdu[0], max(0, pdu[1] - missing))) + pdu[2 : len(pdu) - missing]
