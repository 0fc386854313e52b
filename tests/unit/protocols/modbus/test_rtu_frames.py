from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import BadAnswer
from protocols.modbus.question import Question
from protocols.modbus.rtu_frames import BadChecksum, checksum, rtu_frame, take_answer

READ = Question("line unit 1", "holding registers 40001-40002", 1, b"\3\0\0\0\2", 3, byte_count=4)
ANSWER = rtu_frame(1, b"\3\4\0\x6f\0\xde")


def test_the_checksum_everybody_knows() -> None:
    assert checksum(b"123456789") == 0x4B37
    assert rtu_frame(1, bytes.fromhex("03 0000 000a")).hex(" ") == "01 03 00 00 00 0a c5 cd"


@given(st.binary(min_size=1, max_size=256))
def test_a_frame_with_its_checksum_leaves_nothing(frame: bytes) -> None:
    assert checksum(frame + checksum(frame).to_bytes(2, "little")) == 0


@given(st.binary(max_size=20))
def test_an_answer_is_whole_with_its_last_byte_and_what_follows_stays(rest: bytes) -> None:
    for end in range(len(ANSWER)):
        begun = bytearray(ANSWER[:end])
        assert take_answer(begun, READ) is None
        assert begun == ANSWER[:end]
    buffer = bytearray(ANSWER + rest)
    assert take_answer(buffer, READ) == b"\3\4\0\x6f\0\xde"
    assert buffer == rest


def test_an_exception_is_shorter() -> None:
    assert take_answer(bytearray(rtu_frame(1, b"\x83\2")), READ) == b"\x83\2"


@given(st.integers(0, 8 * (len(ANSWER) - 3)), st.integers(1, 0xFFFF))
def test_damage_within_two_bytes_is_always_seen(bit: int, damage: int) -> None:
    """Behind the head, for what is wrong there is seen without the checksum."""
    tail = int.from_bytes(ANSWER[3:], "big") ^ damage << bit
    damaged = ANSWER[:3] + (tail % (1 << 8 * len(ANSWER[3:]))).to_bytes(len(ANSWER) - 3, "big")
    if damaged != ANSWER:  # the damage was not all beyond the frame
        with pytest.raises(BadChecksum):
            take_answer(bytearray(damaged), READ)


@pytest.mark.parametrize("begun", ["01 04", "01 84", "01 03 02", "01 03 06"])
def test_what_can_not_become_the_answer_is_not_waited_for(begun: str) -> None:
    with pytest.raises(BadAnswer):
        take_answer(bytearray.fromhex(begun), READ)


def test_another_echo_is_not_waited_for() -> None:
    order = replace(READ, pdu=b"\6\0\1\0\3", byte_count=None)
    assert take_answer(bytearray(rtu_frame(1, order.pdu)), order) == order.pdu
    with pytest.raises(BadAnswer, match="another write"):
        take_answer(bytearray.fromhex("01 06 00 02"), order)


def test_a_wrong_checksum_is_told_apart_from_a_wrong_answer() -> None:
    with pytest.raises(BadChecksum):
        take_answer(bytearray(ANSWER[:-1] + b"\0"), READ)
