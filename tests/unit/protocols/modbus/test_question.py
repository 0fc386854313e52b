"""Which answers answer."""

from dataclasses import replace

import pytest

from protocols.errors import BadAnswer, NoAnswer, RequestRefused
from protocols.modbus.question import Question

READ = Question("plc unit 1", "holding registers 40001", 1, b"\3\0\0\0\1", 3, byte_count=2)
ORDER = replace(READ, asked="the write of holding registers 40002", pdu=b"\x10\0\1\0\2\4\0\x0a\1\2", byte_count=None)


def test_a_read_is_answered_by_its_data_and_a_write_by_its_echo() -> None:
    assert READ.outcome(b"\3\2\xab\xcd") == b"\xab\xcd"
    assert ORDER.outcome(b"\x10\0\1\0\2") == b""
    assert replace(ORDER, pdu=b"\6\0\1\0\3").outcome(b"\6\0\1\0\3") == b""


@pytest.mark.parametrize(
    "pdu", [b"\4\2ab", b"\3\2abc", b"\3\2a", b"\3\3ab", b"\3\3abc", b"\x83", b"\x83\2\0", b"\x84\2"]
)
def test_anything_else_is_no_answer_to_a_read(pdu: bytes) -> None:
    with pytest.raises(BadAnswer):
        READ.outcome(pdu)


@pytest.mark.parametrize("pdu", [b"\x10\0\1\0\1", b"\x10\0\2\0\2", b"\x10\0\1\0", b"\x10\0\1\0\2\0", b"\6\0\1\0\2"])
def test_another_echo_confirms_nothing(pdu: bytes) -> None:
    with pytest.raises(BadAnswer):
        ORDER.outcome(pdu)


def test_every_beginning_of_a_right_answer_is_one() -> None:
    for question, answer in ((READ, b"\3\2\xab\xcd"), (ORDER, b"\x10\0\1\0\2")):
        for end in range(len(answer) + 1):
            question.check_beginning(answer[:end])


def test_exceptions() -> None:
    outcome = READ.outcome(b"\x83\2")
    assert isinstance(outcome, RequestRefused)
    assert str(outcome) == "plc unit 1 holding registers 40001: illegal data address (exception 2)"


@pytest.mark.parametrize("code", [5, 11])
def test_a_write_that_may_yet_be_carried_out_is_not_called_refused(code: int) -> None:
    outcome = ORDER.outcome(bytes([0x90, code]))
    assert isinstance(outcome, NoAnswer)
    assert "whether it was written is not known" in str(outcome)
    assert isinstance(READ.outcome(bytes([0x83, code])), RequestRefused)
    assert isinstance(ORDER.outcome(b"\x90\2"), RequestRefused)
