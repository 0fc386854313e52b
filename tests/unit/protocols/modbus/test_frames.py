import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import BadAnswer
from protocols.modbus.frames import Frame, exception_code, read_payload, read_pdu, request_frame, take_frames


def test_a_question_on_the_wire() -> None:
    assert request_frame(0x1234, 7, read_pdu(3, 0x0100, 125)).hex(" ") == "12 34 00 00 00 06 07 03 01 00 00 7d"


frames = st.builds(Frame, st.integers(0, 65535), st.integers(0, 255), st.binary(min_size=2, max_size=253))


@given(st.lists(frames, max_size=4), st.data())
def test_frames_come_out_as_they_went_in_however_they_are_cut(sent: list[Frame], data: st.DataObject) -> None:
    wire = b"".join(request_frame(frame.transaction, frame.unit, frame.pdu) for frame in sent)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(wire)), max_size=5)))
    buffer = bytearray()
    received: list[Frame] = []
    for start, end in zip([0, *cuts], [*cuts, len(wire)], strict=True):
        buffer += wire[start:end]
        received += take_frames(buffer)
    assert received == sent
    assert not buffer


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("0001 0001 0005 01", "protocol id 1"),
        ("0001 0000 0000 01", "length 0"),
        ("0001 0000 0002 01", "length 2"),
        ("0001 0000 00ff 01", "length 255"),
        ("0001 0000 ffff 01", "length 65535"),
    ],
)
def test_a_header_that_is_none_is_not_waited_for(header: str, message: str) -> None:
    with pytest.raises(BadAnswer, match=message):
        list(take_frames(bytearray.fromhex(header)))


def test_only_the_exact_answer_has_a_payload() -> None:
    assert read_payload(bytes([3, 2, 0xAB, 0xCD]), 3, 2) == b"\xab\xcd"
    for wrong in (b"\x04\x02ab", b"\x03\x02abc", b"\x03\x02a", b"\x03\x03ab", b"\x83\x02"):
        with pytest.raises(BadAnswer):
            read_payload(wrong, 3, 2)


def test_exceptions() -> None:
    assert exception_code(b"\x83\x02", 3) == 2
    assert exception_code(b"\x84\x02", 3) is None
    assert exception_code(b"\x83\x02\x00", 3) is None
    assert exception_code(b"\x03\x02", 3) is None
