"""Answers that are frames, and false."""

import struct
from dataclasses import replace

from simulators.xgt.faults import Faults
from simulators.xgt.frames import Answer

_READ_ANSWER, _WRITE_ANSWER = 0x55, 0x59
_BLOCKS_AT = 10


def spoiled(answer: Answer, faults: Faults) -> bytes:
    """An answer as it goes on the wire under the faults of the moment."""
    if faults.wrong_invoke:
        answer = replace(answer, invoke=(answer.invoke + 1) & 0xFFFF)
    if faults.wrong_company:
        answer = replace(answer, company=b"LGIS-GLOFA")
    instruction = answer.instruction
    if faults.wrong_command:
        other = _WRITE_ANSWER if instruction[0] == _READ_ANSWER else _READ_ANSWER
        instruction = bytes((other,)) + instruction[1:]
    if faults.wrong_count and _is_good(instruction):
        instruction = instruction[:8] + struct.pack("<H", instruction[8] + 1) + instruction[_BLOCKS_AT:]
    if faults.fewer and _is_good(instruction):
        instruction = _with_fewer(instruction)
    answer = replace(answer, instruction=instruction)
    return answer.encode(extra_length=faults.wrong_length, with_sum=not faults.no_checksum)


def _is_good(instruction: bytes) -> bool:
    return instruction[6:8] == b"\0\0"


def _with_fewer(instruction: bytes) -> bytes:
    """The last block a word shorter, or a byte where it has but one, and its size with it."""
    if instruction[0] != _READ_ANSWER:
        return instruction
    at = _BLOCKS_AT
    while at + 2 + (size := int.from_bytes(instruction[at : at + 2], "little")) < len(instruction):
        at += 2 + size
    missing = min(size, 2)
    return instruction[:at] + struct.pack("<H", size - missing) + instruction[at + 2 : len(instruction) - missing]
