import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import BadAnswer
from protocols.modbus.frames import (
    Frame,
    read_pdu,
    request_frame,
    take_frames,
    write_coils_pdu,
    write_registers_pdu,
)


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


def test_orders_to_write() -> None:
    """The examples of the Modbus Application Protocol Specification V1.1b3, sections 6.5, 6.6, 6.11 and 6.12."""
    assert write_coils_pdu(172, [True]).hex(" ") == "05 00 ac ff 00"
    assert write_coils_pdu(172, [False]).hex(" ") == "05 00 ac 00 00"
    assert write_registers_pdu(1, b"\0\3").hex(" ") == "06 00 01 00 03"
    bits = [bit == "1" for bit in "1011001110"]
    assert write_coils_pdu(19, bits).hex(" ") == "0f 00 13 00 0a 02 cd 01"
    assert write_registers_pdu(1, b"\0\x0a\1\2").hex(" ") == "10 00 01 00 02 04 00 0a 01 02"
