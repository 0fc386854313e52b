"""S7 against servers that are not of our making: python-snap7's, and any other that ``S7_JUDGE`` names as host:port.

Such a one holds in DB1 (2,100 bytes) word i = i, in M byte i = i, the timers 2123 and 0099, the counters 0123 and
0999 (hexadecimal words), and nothing else; Snap7's own server in C++ has been one.
"""

import os
import socket
from collections.abc import Iterator

import pytest
from snap7.server import Server
from snap7.type import SrvArea

from protocols.base import Cycle, DataType, TagSpec
from protocols.errors import RequestRefused
from protocols.quality import Quality
from protocols.s7.driver import S7Driver

DRIVER = S7Driver()
WORDS = [TagSpec(f"t{i}", f"DB1.DBW{2 * i}", DataType.UINT16) for i in range(1000)]
FOREIGN = os.environ.get("S7_JUDGE")
JUDGES = ("python-snap7", "foreign") if FOREIGN else ("python-snap7",)


@pytest.fixture(params=JUDGES)
def judge(request: pytest.FixtureRequest) -> Iterator[dict[str, object]]:
    """The connection of a running judge."""
    if request.param == "foreign" and FOREIGN:
        host, _, port = FOREIGN.rpartition(":")
        yield {"host": host, "port": port}
        return
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = Server(log=False)
    server.register_area(SrvArea.DB, 1, bytearray(b"".join(i.to_bytes(2, "big") for i in range(1050))))
    server.register_area(SrvArea.MK, 0, bytearray(range(64)))
    server.register_area(SrvArea.TM, 0, bytearray.fromhex("21230099"))
    server.register_area(SrvArea.CT, 0, bytearray.fromhex("01230999"))
    server.start(tcp_port=port)
    yield {"host": "127.0.0.1", "port": port}
    server.stop()


async def read(fields: dict[str, object], *tags: TagSpec) -> tuple[Cycle, int]:
    """What a session that has settled on its PDU reads, and in how many requests."""
    connection = DRIVER.connection(fields, 3)
    session = await DRIVER.connect(connection)
    cycle = Cycle([None] * len(tags))
    granted = session.granted(connection)
    assert isinstance(granted, type(connection))
    try:
        requests = DRIVER.compile(granted, [DRIVER.point(tag, connection) for tag in tags])
        for request in requests:
            await session.read(request, cycle)
    finally:
        await session.close()
    return cycle, len(requests)


@pytest.mark.parametrize(("pdu", "most"), [(240, 10), (480, 5), (960, 5)])
async def test_a_thousand_words_in_few_requests(judge: dict[str, object], pdu: int, most: int) -> None:
    cycle, requests = await read({**judge, "pdu": pdu}, *WORDS)
    assert cycle.values == list(range(1000))
    assert requests <= most


async def test_scattered_ranges_share_messages(judge: dict[str, object]) -> None:
    places = range(0, 2000, 100)
    scattered = [TagSpec("t", f"DB1.DBB{at}", DataType.UINT8, length=3) for at in places]
    cycle, requests = await read(judge, *scattered, TagSpec("m", "MW2", DataType.UINT16))
    words = b"".join(i.to_bytes(2, "big") for i in range(1050))
    assert cycle.values == [*(list(words[at : at + 3]) for at in places), 0x0203]
    assert requests == 2


async def test_timers_and_counters(judge: dict[str, object]) -> None:
    cycle, requests = await read(
        judge,
        TagSpec("t", "T0", DataType.S5TIME),
        TagSpec("t", "t1", DataType.UINT32),
        TagSpec("c", "C0", DataType.UINT16),
        TagSpec("c", "Z1", DataType.UINT16),
    )
    assert cycle.values == [123_000, 990, 123, 999]
    assert requests == 1


async def test_an_address_past_the_end_and_a_block_that_is_not_there(judge: dict[str, object]) -> None:
    for address in ("DB1.DBW2100", "DB7.DBW0"):
        with pytest.raises(RequestRefused) as caught:
            await read(judge, TagSpec("t", address, DataType.UINT16))
        assert caught.value.quality is Quality.BAD_ADDRESS
        assert address.partition(".")[0] in str(caught.value)


async def test_written_and_read_back(judge: dict[str, object]) -> None:
    connection = DRIVER.connection(judge, 3)
    place = 1 if str(judge["port"]) in str(FOREIGN) else 0  # python-snap7's server takes every bit for bit 0
    bit = TagSpec("b", f"DB1.DBX2081.{place}", DataType.BOOL)
    word = TagSpec("w", "DB1.DBW2080", DataType.UINT16)
    session = await DRIVER.connect(connection)
    try:
        await session.write(DRIVER.encode(connection, DRIVER.point(word, connection), 0x0100))
        await session.write(DRIVER.encode(connection, DRIVER.point(bit, connection), True))
    finally:
        await session.close()
    cycle, _ = await read(judge, word, bit)
    assert cycle.values == [0x0100 | 1 << place, True]
