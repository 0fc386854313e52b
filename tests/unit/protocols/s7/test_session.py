"""What a CPU may grant, refuse and send, on a real socket."""

import asyncio
import inspect
import struct
from collections.abc import AsyncIterator

import pytest
from snap7.async_client import AsyncClient
from snap7.s7protocol import S7Protocol

from protocols.base import Cycle, DataType, Negotiated, TagSpec
from protocols.errors import BadAnswer, ConnectFailed, NoAnswer, RequestRefused, SessionLost
from protocols.quality import Quality
from protocols.s7.driver import S7Driver
from protocols.s7.requests import S7Request
from protocols.s7.session import S7Session
from tests.doubles.s7_device import S7Device, frame
from tests.doubles.scripted_device import Step

DRIVER = S7Driver()


@pytest.fixture
async def device() -> AsyncIterator[S7Device]:
    device = S7Device()
    await device.start()
    yield device
    await device.stop()


async def opened(device: S7Device, **fields: object) -> S7Session:
    return await DRIVER.connect(DRIVER.connection({"host": "127.0.0.1", "port": device.port, **fields}, 0.3))


def one_request(device: S7Device, *addresses: str) -> S7Request:
    connection = DRIVER.connection({"host": "127.0.0.1", "port": device.port}, 0.3)
    tags = [TagSpec("t", address, DataType.UINT16) for address in addresses]
    (request,) = DRIVER.compile(connection, [DRIVER.point(tag, connection) for tag in tags])
    return request


def test_the_part_of_the_library_that_is_not_promised_is_still_there() -> None:
    assert list(inspect.signature(AsyncClient._send_receive).parameters)[:2] == ["self", "request"]
    assert inspect.iscoroutinefunction(AsyncClient._send_receive)
    client = AsyncClient()
    assert client.connection is None
    assert client.protocol._next_sequence() == 1
    answer = frame(b"\0\1", b"\4\2", bytes.fromhex("0a000004ff0400100102"))[7:]
    with pytest.raises(Exception, match="."):  # noqa: RUF043
        S7Protocol().extract_multi_read_data(S7Protocol().parse_response(answer), 2)
    parsed = S7Protocol().parse_response(answer)
    assert (parsed["raw_parameters"], parsed["raw_data"]) == (b"\4\2", answer[14:])


async def test_the_connection_names_rack_and_slot(device: S7Device, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bytes] = []
    plain = device.greeting

    def overheard(question: bytes) -> bytes | None:
        seen.append(question)
        return plain(question)

    monkeypatch.setattr(device, "greeting", overheard)
    await (await opened(device, rack=2, slot=3, pdu=960)).close()
    assert seen[0][-4:] == bytes([0xC2, 2, 1, 2 << 5 | 3])
    assert struct.unpack(">H", seen[1][-2:]) == (960,)


async def test_what_the_cpu_grants_is_kept_to(device: S7Device) -> None:
    device.pdu = 240
    session = await opened(device)
    connection = DRIVER.connection({"host": "h"}, 1)
    assert isinstance(session, Negotiated)
    granted = session.granted(connection)
    assert (granted.timeout_s, getattr(granted, "pdu", None)) == (1, 240)
    assert session.granted(granted) is granted
    device.put(0, bytes(range(200)) * 2)
    request = one_request(device, *(f"DB1.DBW{at}" for at in range(0, 400, 2)))
    cycle = Cycle([None] * 200)
    await session.read(request, cycle)
    assert cycle.values == [(at % 200) << 8 | at % 200 + 1 for at in range(0, 400, 2)]
    assert len(device.questions) == 2
    await session.close()


async def test_a_text_larger_than_a_message_is_put_together(device: S7Device) -> None:
    device.pdu = 240
    text = "".join(chr(0x41 + i % 26) for i in range(254))
    device.put(10, b"\xfe\xfe" + text.encode())
    session = await opened(device)
    connection = session.granted(DRIVER.connection({"host": "h"}, 1))
    assert isinstance(connection, type(DRIVER.connection({"host": "h"}, 1)))
    point = DRIVER.point(TagSpec("t", "DB1.STRING10.254", DataType.STRING), connection)
    (request,) = DRIVER.compile(connection, [point])
    cycle = Cycle([None])
    await session.read(request, cycle)
    assert cycle.values == [text]
    await session.close()


async def test_a_refused_item_costs_its_own_tag_and_says_why(device: S7Device) -> None:
    device.put(0, b"\0\1", db=2)
    device.put(100, b"\0\2")
    device.blocks = {1, 2}
    device.missing = {200}
    session = await opened(device)
    request = one_request(device, "DB2.DBW0", "DB1.DBW100", "DB1.DBW200", "DB9.DBW0")
    assert len(request.parts) == 4
    cycle = Cycle([None] * 4)
    with pytest.raises(RequestRefused, match=r"DB1.DBB200-201: address out of range.*\(code 0x05\)") as caught:
        await session.read(request, cycle)
    assert cycle.values == [1, 2, None, None]
    assert cycle.bad == {2: Quality.BAD_ADDRESS, 3: Quality.BAD_ADDRESS}
    assert (caught.value.tags, caught.value.isolate) == ((2,), True)
    with pytest.raises(RequestRefused, match=r"optimised access; .*'Optimized block access'") as missing:
        await session.read(one_request(device, "DB9.DBW0"), Cycle([None]))
    assert missing.value.tags == (0,)
    await session.close()


async def test_items_refused_alike_are_blamed_together_and_merged_ones_are_searched(device: S7Device) -> None:
    device.missing = {0, 100, 201}
    session = await opened(device)
    with pytest.raises(RequestRefused) as caught:
        await session.read(one_request(device, "DB1.DBW0", "DB1.DBW100", "DB1.DBW200", "DB1.DBW202"), Cycle([None] * 4))
    assert (caught.value.tags, caught.value.whole) == ((0, 1), True)
    with pytest.raises(RequestRefused) as merged:
        await session.read(one_request(device, "DB1.DBW200", "DB1.DBW202"), Cycle([None] * 2))
    assert (merged.value.tags, merged.value.whole, merged.value.isolate) == ((0, 1), False, True)
    await session.close()


@pytest.mark.parametrize(
    ("error", "why"),
    [(0x8104, r"does not permit PUT/GET .*code 0x8104"), (0x8500, "connection.pdu to 240"), (0xD201, "0xD201")],
)
async def test_a_refusal_of_the_whole_blames_no_address(device: S7Device, error: int, why: str) -> None:
    session = await opened(device)
    device.refusal = error
    with pytest.raises(RequestRefused, match=why) as caught:
        await session.read(one_request(device, "DB1.DBW0"), Cycle([None]))
    assert caught.value.quality is Quality.DEVICE_ERROR
    assert (caught.value.isolate, caught.value.whole) == (False, False)
    device.refusal = None
    await session.read(one_request(device, "DB1.DBW0"), Cycle([None]))
    await session.close()


async def test_a_wrong_slot_is_said(device: S7Device) -> None:
    device.refuse_connections = True
    with pytest.raises(ConnectFailed, match="rack 0 slot 2 is not there: wrong rack or slot; S7-1200/1500 are in"):
        await opened(device, slot=2)


async def test_a_close_or_silence_in_the_handshake_is_said(device: S7Device, monkeypatch: pytest.MonkeyPatch) -> None:
    def hang_up(_question: bytes) -> bytes | None:
        for writer in device._writers:
            writer.transport.abort()
        return b""

    plain = device.greeting
    monkeypatch.setattr(device, "greeting", hang_up)
    with pytest.raises(ConnectFailed, match="closed the connection before it stood: the rack or slot may be wrong"):
        await opened(device)
    monkeypatch.setattr(device, "greeting", lambda _question: b"")
    with pytest.raises(NoAnswer, match=r"did not speak S7 within 0.3 s"):
        await opened(device)
    monkeypatch.setattr(
        device, "greeting", lambda question: plain(question) if question[5] == 0xE0 else b"\x16\x03\x01 TLS?"
    )
    with pytest.raises(BadAnswer, match="this is no S7 CPU"):
        await opened(device)
    async with asyncio.timeout(5):
        while device.connections():
            await asyncio.sleep(0.005)


async def test_a_message_in_pieces_is_put_together(device: S7Device) -> None:
    def in_pieces(_question: bytes, answer: bytes) -> list[Step]:
        message = answer[7:]
        return [
            b"\3\0\0\x0b\2\xf0\0" + message[:4],
            b"\3\0" + (7 + len(message) - 4).to_bytes(2, "big") + b"\2\xf0\x80" + message[4:],
        ]

    device.put(0, b"\x12\x34")
    session = await opened(device)
    device.script = in_pieces
    cycle = Cycle([None])
    await session.read(one_request(device, "DB1.DBW0"), cycle)
    assert cycle.values == [0x1234]
    await session.close()


async def test_writes_are_carried_out_refused_and_lost(device: S7Device) -> None:
    connection = DRIVER.connection({"host": "127.0.0.1", "port": device.port}, 0.3)
    session = await DRIVER.connect(connection)

    def write(address: str, data_type: DataType, value: object) -> object:
        point = DRIVER.point(TagSpec("t", address, data_type), connection)
        return session.write(DRIVER.encode(connection, point, value))  # type: ignore[arg-type]

    device.put(0, b"\xf0\x0f")
    await write("DB1.DBX1.5", DataType.BOOL, True)  # type: ignore[misc]
    await write("DB1.DBX0.7", DataType.BOOL, False)  # type: ignore[misc]
    assert device.get(0, 2) == b"\x70\x2f"
    await write("DB1.STRING10.5", DataType.STRING, "AB")  # type: ignore[misc]
    assert device.get(10, 5) == b"\0\x02AB\0"
    await write("T1", DataType.S5TIME, 990)  # type: ignore[misc]
    assert device.get(2, 2, 0, 0x1D) == b"\0\x99"
    device.missing = {20}
    with pytest.raises(RequestRefused, match=r"DB1.DBB20-21: address out of range"):
        await write("DB1.DBW20", DataType.UINT16, 1)  # type: ignore[misc]
    device.pdu = session.pdu = 240
    with pytest.raises(RequestRefused, match="more than the CPU takes at once"):
        await write("DB1.STRING10.254", DataType.STRING, 250 * "A")  # type: ignore[misc]
    device.script = lambda _question, _answer: []
    with pytest.raises(NoAnswer):
        await write("DB1.DBW0", DataType.UINT16, 1)  # type: ignore[misc]
    await session.close()
    with pytest.raises(SessionLost):
        await write("DB1.DBW0", DataType.UINT16, 1)  # type: ignore[misc]
