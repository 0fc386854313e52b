"""The codec against every frame that was captured, printed in a manual, or reckoned by somebody else."""

import pytest

from protocols.errors import BadAnswer
from protocols.xgt.frames import (
    Command,
    Frame,
    Kind,
    Nak,
    Question,
    open_answer,
    read_block,
    read_items,
    request_frame,
    take_frames,
    write_block,
    write_item,
)
from protocols.xgt.plc_info import plc_remark
from tests.unit.protocols.xgt.vectors import FIELD, MANUAL, OTHERS, raw

WORD, BIT, BLOCK = Kind.WORD, Kind.BIT, Kind.BLOCK


def taken(data: bytes) -> Frame:
    """The one frame in `data`."""
    (frame,) = take_frames(bytearray(data))
    return frame


@pytest.mark.parametrize(
    ("text", "question", "cpu", "invoke"),
    [
        (FIELD["read %DW5004 on XGB"], read_items(WORD, ["%DW5004"]), 0xB0, 0),
        (FIELD["read %MX3200"], read_items(BIT, ["%MX3200"]), 0x00, 1),
        (FIELD["read 50 bytes from %DB4000"], read_block("%DB4000", 50), 0xB0, 0),
        (FIELD["read %DW1000"], read_items(WORD, ["%DW1000"]), 0xA0, 2),
        (FIELD["read %RW1000"], read_items(WORD, ["%RW1000"]), 0xA0, 0),
        (FIELD["write %MX1"], write_item(BIT, "%MX1", b"\1"), 0x00, 0xAABB),
        (OTHERS["read %MW100"], read_items(WORD, ["%MW100"]), 0x00, 0),
        (OTHERS["read four bytes from %DB200"], read_block("%DB200", 4), 0xA0, 1),
        (OTHERS["read %MX2764"], read_items(BIT, ["%MX2764"]), 0xA0, 1),
        (OTHERS["read %MW100 and %DW200"], read_items(WORD, ["%MW100", "%DW200"]), 0xA0, 1),
        (OTHERS["write %MB100"], write_block("%MB100", b"\x34\x12"), 0xA0, 4),
    ],
)
def test_questions_are_those_that_plcs_were_asked(text: str, question: Question, cpu: int, invoke: int) -> None:
    captured, sent = raw(text), request_frame(cpu, invoke, question.body)
    assert sent[:18] + sent[20:] == captured[:18] + captured[20:]
    assert sent[18] == 0  # base and slot of the module, which nobody need know
    assert sent[19] == sum(sent[:19]) % 256
    if captured[18] == 0 and captured[19] != 0:
        assert sent == captured


@pytest.mark.parametrize(
    ("text", "question"),
    [
        (MANUAL["write %MW100 1234"], write_item(WORD, "%MW100", b"\x34\x12")),
        (MANUAL["write %MB100 1234"], write_block("%MB100", b"\x12\x34")),
    ],
)
def test_orders_are_those_of_the_manual(text: str, question: Question) -> None:
    assert question.body == raw(text)


@pytest.mark.parametrize(
    ("text", "question", "data"),
    [
        (FIELD["three words"], read_items(WORD, ["%DW0", "%DW1", "%DW2"]), "D4263C347233"),
        (FIELD["three bits"], read_items(BIT, ["%MX0", "%MX1", "%MX2"]), "000101"),
        (FIELD["three timers"], read_items(WORD, ["%TW0", "%TW1", "%TW2"]), "000000000000"),
        (FIELD["a word, reserved not zero"], read_items(WORD, ["%DW1000"]), "0000"),
        (OTHERS["abcd1234"], read_block("%DB200", 4), "3412CDAB"),
        (OTHERS["a bit without sum"], read_items(BIT, ["%MX2764"]), "01"),
        (OTHERS["two words"], read_items(WORD, ["%MW100", "%DW200"]), "34127856"),
        (OTHERS["six bytes"], read_block("%DB200", 6), "34127856BC9A"),
    ],
)
def test_answers_give_their_data(text: str, question: Question, data: str) -> None:
    frame = taken(raw(text))
    assert open_answer(frame.body, question) == bytes.fromhex(data)
    assert frame.summed_up


@pytest.mark.parametrize(
    ("text", "question", "outcome"),
    [
        (MANUAL["read answer 1234"], read_items(WORD, ["%MW100"]), b"\x34\x12"),
        (MANUAL["block of six bytes"], read_block("%MB100", 6), b"\1\2\3\4\5\6"),
        (MANUAL["block written"], write_block("%MB100", b"\x12\x34"), b""),
        (MANUAL["block write refused"], write_block("%MB100", b"\x12\x34"), Nak(0x21)),
        (MANUAL["read refused"], read_items(WORD, ["%MW100"]), Nak(0x21)),
        (MANUAL["area exceeded"], read_items(WORD, ["%MW100"]), Nak(4)),
        ("5500 1400 0000 FF00 0400", read_block("%DB0", 2), Nak(4)),
        ("5900 1400 0000 FFFF 2100", write_block("%DB0", b"\0"), Nak(0x21)),
        ("5900 1400 0000 FFFF 9001", write_block("%DB0", b"\0"), Nak(0x190)),
    ],
)
def test_instructions_of_the_manual_are_understood(text: str, question: Question, outcome: bytes | Nak) -> None:
    assert open_answer(raw(text), question) == outcome


def test_refusals_in_the_field_have_two_bytes_and_elsewhere_one() -> None:
    refused, nine = taken(raw(FIELD["a refusal"])), taken(raw(OTHERS["nine bytes of refusal"]))
    assert open_answer(refused.body, read_items(BIT, ["%MX3200"])) == Nak(0x12)
    assert open_answer(nine.body, write_block("%DB200", b"\0")) == Nak(0x21)
    assert open_answer(taken(raw(OTHERS["area exceeded"])).body, read_block("%DB99999", 2)) == Nak(4)


def test_two_words_written() -> None:
    both = Question(Command.WRITE, WORD, raw(OTHERS["write %DW100 and %DW101"])[20:], 2)
    assert request_frame(0xA0, 3, both.body) == raw(OTHERS["write %DW100 and %DW101"])
    assert open_answer(taken(raw(OTHERS["two words written"])).body, both) == b""


@pytest.mark.parametrize(
    ("change", "word"), [(b"\x55\0\2\0\0\0\0\0", "count"), (b"\x55\0\2\0\0\0\0\0\1\0\2\0\0\0\0", "trailing")]
)
def test_an_acknowledgement_of_another_size_is_none(change: bytes, word: str) -> None:
    with pytest.raises(BadAnswer, match=r"sent an instruction of \d+ bytes where 14 were to come"):
        open_answer(change, read_items(WORD, ["%DW0"]))
    assert word


def test_what_captured_answers_say_of_their_plc() -> None:
    frames = {name: taken(raw(FIELD[name])) for name in ("three words", "a word, reserved not zero", "a refusal")}
    assert {name: frame.cpu for name, frame in frames.items()} == dict.fromkeys(frames, 0xA0)
    assert frames["three words"].invoke == 1
    assert {plc_remark(frame.plc_info) for frame in frames.values()} == {"PLC in RUN"}


@pytest.mark.parametrize(
    ("info", "remark"),
    [
        (0x0104, "PLC in RUN"), (0x0103, "PLC in RUN"), (0x0212, "PLC in STOP: its program does not run"),
        (0x0484, "PLC with a CPU error, in ERROR: its own diagnosis says why"), (0x0801, "PLC in DEBUG"),
        (0x0080, "PLC with a CPU error"), (0x0000, None),
    ],
)  # fmt: skip
def test_run_stop_and_error_in_words(info: int, remark: str | None) -> None:
    assert plc_remark(info) == remark


def test_frames_come_in_any_pieces() -> None:
    stream = raw(FIELD["three words"]) + raw(FIELD["a refusal"])
    for cut in range(1, len(stream)):
        buffer, frames = bytearray(), []
        for piece in (stream[:cut], stream[cut:]):
            buffer += piece
            frames += list(take_frames(buffer))
        assert [frame.invoke for frame in frames] == [1, 1]
        assert not buffer


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"H", "does not begin with LSIS-XGT"),
        (b"LGIS-GLOFA", "does not begin with LSIS-XGT"),
        (raw(FIELD["read %DW1000"]), "source 0x33"),
        (raw(FIELD["three words"])[:16] + b"\xff\xff\2\x2a", "length 65535; XGT has 9 to 1412"),
        (raw(FIELD["three words"])[:16] + b"\x08\0\2\x2a", "length 8"),
    ],
)
def test_what_can_not_begin_a_frame_is_known_at_once(data: bytes, message: str) -> None:
    with pytest.raises(BadAnswer, match=message):
        list(take_frames(bytearray(data)))


def test_a_wrong_sum_is_noticed_and_no_more() -> None:
    captured = bytearray(raw(FIELD["three words"]))
    captured[19] ^= 1
    frame = taken(bytes(captured))
    assert not frame.summed_up
    assert open_answer(frame.body, read_items(WORD, ["%DW0", "%DW1", "%DW2"])) == bytes.fromhex("D4263C347233")
