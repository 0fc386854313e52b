"""Listening to the wire of every protocol that lets one: all of it, from the first byte, and only while asked to."""

from protocols.base import DataType
from protocols.overhearing import LISTENER, Overheard
from tests.contract.bench import Bench, Reader, spec

_OVERHEARD = {"modbus_tcp", "modbus_rtu", "s7", "xgt"}


class Ear:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.frames: list[tuple[str, bytes]] = []

    def sent(self, frame: bytes) -> None:
        self.frames.append(("sent", frame))

    def received(self, data: bytes) -> None:
        self.frames.append(("received", data))


async def test_whoever_listens_is_told_every_frame_and_nothing_after(bench: Bench, reader: Reader) -> None:
    session, ear = reader.session, Ear()
    if not isinstance(session, Overheard):
        assert bench.driver.protocol not in _OVERHEARD
        return
    bench.put(0, [0x1234])
    tag = spec(bench.word(0), DataType.UINT16)
    session.overhear(ear)
    assert (await reader.read(tag)).values == [0x1234]
    ways = [way for way, _ in ear.frames]
    assert ways[0] == "sent"
    assert "received" in ways
    answer = b"".join(data for way, data in ear.frames if way == "received")
    assert b"\x12\x34" in answer or b"\x34\x12" in answer
    session.overhear(None)
    told = len(ear.frames)
    await reader.read(tag)
    assert len(ear.frames) == told


async def test_a_connection_that_is_opened_for_a_listener_is_told_from_its_first_byte(bench: Bench) -> None:
    ear = Ear()
    token = LISTENER.set(ear)
    try:
        reader = Reader(bench, bench.driver.connection(bench.fields(), 0.25))
        await reader.open()
    finally:
        LISTENER.reset(token)
    if isinstance(reader.session, Overheard):
        await reader.read(spec(bench.word(0), DataType.UINT16))
        assert ear.frames[0][0] == "sent"
    await reader.session.close()
    assert bool(ear.frames) == isinstance(reader.session, Overheard)
