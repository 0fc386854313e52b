"""What only XGT sessions have: invoke ids, the PLC's state, large blocks on trial. Else see the contract suite."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from protocols.base import Cycle, DataType, TagSpec
from protocols.errors import RequestRefused
from protocols.quality import Quality
from protocols.xgt.driver import XgtDriver
from protocols.xgt.session import XgtSession
from tests.doubles.scripted_device import Step
from tests.doubles.xgt_device import XgtDevice

DRIVER = XgtDriver()
WORD = TagSpec("t", "D0", DataType.UINT16)
MANY = [TagSpec("t", f"D{i}", DataType.UINT16) for i in range(700)]


class Answering(asyncio.Transport):
    """Answers each question at once, or keeps the answer back."""

    def __init__(self, session: XgtSession) -> None:
        super().__init__()
        self.session, self.device = session, XgtDevice()
        self.invokes: list[int] = []
        self.silent = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.invokes.append(int.from_bytes(data[14:16], "little"))
        if not self.silent:
            self.session.data_received(self.device.answer(bytes(data)))


async def test_invoke_ids_go_round_without_zero_and_a_forgotten_one_may_return() -> None:
    session = XgtSession("10.0.0.7:2004", 3)
    wire = Answering(session)
    session.connection_made(wire)
    wire.device.put("D", 0, [7])
    connection = DRIVER.connection({"host": "10.0.0.7"}, 3)
    (request,) = DRIVER.compile(connection, [DRIVER.point(WORD, connection)])
    wire.silent = True
    cancelled = asyncio.create_task(session.read(request, Cycle([None])))
    await asyncio.sleep(0)
    cancelled.cancel()
    await asyncio.wait([cancelled])
    wire.silent = False
    for _ in range(65_536):
        cycle = Cycle([None])
        await session.read(request, cycle)
        assert cycle.values == [7]
    assert wire.invokes[:65_533] == list(range(3, 65_536))
    assert wire.invokes[65_533:] == [1, 2, 3, 4]


async def test_two_sessions_do_not_begin_with_the_same_id(device: XgtDevice) -> None:
    firsts = set()
    for _ in range(4):
        await read(device, "xgk", WORD)
        firsts.add(device.questions[-1][14:16])
    assert len(firsts) > 1
    assert b"\0\0" not in firsts


@pytest.fixture
async def device() -> AsyncIterator[XgtDevice]:
    device = XgtDevice()
    await device.start()
    yield device
    await device.stop()


async def read(device: XgtDevice, family: str, *tags: TagSpec, times: int = 1, timeout_s: float = 3.0) -> list[Cycle]:
    connection = DRIVER.connection({"host": "127.0.0.1", "port": device.port, "family": family}, timeout_s)
    session = await DRIVER.connect(connection)
    requests = DRIVER.compile(connection, [DRIVER.point(tag, connection) for tag in tags])
    cycles = [Cycle([None] * len(tags)) for _ in range(times)]
    try:
        for cycle in cycles:
            for request in requests:
                await session.read(request, cycle)
    finally:
        await session.close()
    return cycles


def sizes(device: XgtDevice) -> list[int]:
    """The sizes of the blocks that were asked for."""
    return [int.from_bytes(question[-2:], "little") for question in device.questions]


async def test_large_blocks_are_tried_once_and_used_when_granted(device: XgtDevice) -> None:
    device.put("D", 0, range(700))
    for cycle in await read(device, "auto", *MANY, times=3):
        assert cycle.values == list(range(700))
    assert sizes(device) == [512, 512, 376, 1400, 1400, 1400]


async def test_large_blocks_that_are_refused_are_not_asked_for_again(device: XgtDevice) -> None:
    device.put("D", 0, range(700))
    device.most_bytes = 512
    for cycle in await read(device, "auto", *MANY, times=3):
        assert cycle.values == list(range(700))
    assert sizes(device) == [512, 512, 376, 1400, 512, 512, 376, 512, 512, 376]


async def test_large_blocks_that_meet_silence_cost_one_deadline_and_no_value(device: XgtDevice) -> None:
    device.put("D", 0, range(700))
    withheld: list[bytes] = []

    def silent_at_large_blocks(question: bytes, answer: bytes) -> list[Step]:
        if question[-2:] == (1400).to_bytes(2, "little"):
            withheld.append(answer)
            return []
        late = [withheld.pop()] if withheld else []
        return [*late, answer]

    device.script = silent_at_large_blocks
    first, second = await read(device, "auto", *MANY, times=2, timeout_s=0.2)
    assert first.values == second.values == list(range(700))
    assert sizes(device)[3:5] == [1400, 512]


async def test_a_plc_that_names_itself_small_is_never_asked_for_large_blocks(device: XgtDevice) -> None:
    device.cpu = 0xB0
    await read(device, "auto", *MANY, times=2)
    assert set(sizes(device)) == {512, 376}


async def test_a_part_that_is_refused_gives_no_value_of_the_others(device: XgtDevice) -> None:
    device.missing.add(("D", 600))
    connection = DRIVER.connection({"host": "127.0.0.1", "port": device.port}, 3)
    session = await DRIVER.connect(connection)
    (request,) = DRIVER.compile(connection, [DRIVER.point(tag, connection) for tag in MANY])
    cycle = Cycle([None] * len(MANY))
    with pytest.raises(RequestRefused, match=r"%DW512-%DW699: past the end of the device \(error 0x0004\)") as caught:
        await session.read(request, cycle)
    assert caught.value.quality is Quality.BAD_ADDRESS
    assert cycle == Cycle([None] * len(MANY))
    await session.close()


async def test_the_plcs_state_is_told_from_every_answer(device: XgtDevice) -> None:
    connection = DRIVER.connection({"host": "127.0.0.1", "port": device.port}, 3)
    session = await DRIVER.connect(connection)
    (request,) = DRIVER.compile(connection, [DRIVER.point(WORD, connection)])
    told: list[str | None] = [session.remark]
    for info in (0x0104, 0x0212, 0x0484):
        device.plc_info = info
        await session.read(request, Cycle([None]))
        told.append(session.remark)
    assert told == [
        None,
        "PLC in RUN",
        "PLC in STOP: its program does not run",
        "PLC with a CPU error, in ERROR: its own diagnosis says why",
    ]
    device.plc_info, device.refusal = 0x0104, 0x04
    with pytest.raises(RequestRefused):
        await session.read(request, Cycle([None]))
    told.append(session.remark)
    device.refusal = None
    device.script = lambda _question, answer: [answer[:19] + bytes([answer[19] ^ 0x5A]) + answer[20:]]
    await session.read(request, Cycle([None]))
    told.append(session.remark)
    assert told[-2:] == ["PLC in RUN", "PLC in RUN; the checksum of its headers is wrong"]
    await session.close()


async def test_a_device_that_the_plc_lacks_is_said_of_all_of_its_tags(device: XgtDevice) -> None:
    device.refusal = 0x03
    with pytest.raises(RequestRefused, match="does not have this device") as caught:
        await read(device, "xgk", TagSpec("t", "N0", DataType.UINT16), TagSpec("t", "N1", DataType.UINT16))
    assert caught.value.whole
