"""The S7 CPU of `simulators`, met by our driver as the demo document describes it."""

import asyncio
from decimal import Decimal

import pytest

from protocols.base import Cycle, DataType, TagSpec, Value
from protocols.datatypes import parse_data_type
from protocols.errors import (
    BadAnswer,
    ConnectFailed,
    NoAnswer,
    ProtocolError,
    RequestRefused,
    SessionLost,
)
from protocols.quality import Quality
from protocols.s7.driver import S7Driver
from protocols.s7.session import S7Session
from simulators.commands import run_s7
from simulators.s7 import Area, Block, Cell, Kind, S7Plc, demo_device, demo_layout
from simulators.signals import Setpoint, Unique

DRIVER = S7Driver()
MOMENT_S = 37.0


class Device:
    """A session with a simulated CPU that reads what is asked of it."""

    def __init__(self, plc: S7Plc, timeout_s: float = 2, **fields: object) -> None:
        self.connection = DRIVER.connection({"host": plc.host, "port": plc.port, **fields}, timeout_s)
        self.session: S7Session

    async def __aenter__(self) -> "Device":
        self.session = await DRIVER.connect(self.connection)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.session.close()

    async def read(self, *tags: TagSpec) -> Cycle:
        cycle = Cycle([None] * len(tags))
        for request in DRIVER.compile(self.connection, [DRIVER.point(tag, self.connection) for tag in tags]):
            await self.session.read(request, cycle)
        return cycle

    async def write(self, tag: TagSpec, value: Value) -> None:
        await self.session.write(DRIVER.encode(self.connection, DRIVER.point(tag, self.connection), value))


def described() -> dict[str, TagSpec]:
    """The tags of the demo's document by name."""
    entries = demo_device("127.0.0.1", 102)["tags"]
    assert isinstance(entries, list)
    return {
        entry["name"]: TagSpec(
            entry["name"],
            entry["address"],
            parse_data_type(entry["data_type"]),
            scale=Decimal(repr(entry["scale"])),
        )
        for entry in entries
    }


def word(at: int) -> TagSpec:
    return TagSpec("t", f"DB1.DBW{at}", DataType.UINT16)


async def test_the_demo_document_reads_what_the_line_does() -> None:
    moments = iter([0.0])
    async with S7Plc(demo_layout(), clock=lambda: next(moments, MOMENT_S)) as plc, Device(plc) as device:
        tags = described()
        cycle = await device.read(*tags.values())
        values = dict(zip(tags, cycle.values, strict=True))
        assert len(plc.record.reads) == 1
    assert cycle.bad == {}
    pressure, level = values.pop("pressure"), values.pop("tank_level")
    assert isinstance(pressure, float)
    assert 2.1 <= pressure <= 2.6
    assert isinstance(level, float)
    assert 55 <= level <= 92
    temperature, cycle_time = values.pop("temperature"), values.pop("cycle_time")
    assert isinstance(temperature, float)
    assert 74 <= temperature <= 82
    assert isinstance(cycle_time, int)
    assert 480 <= cycle_time <= 530
    assert values == {
        "running": True,
        "door_open": False,
        "scan_number": 1,
        "energy": 8_400.25 + 500 * MOMENT_S / 3600,
        "충전수량": 480_074,
        "불량수량": 51,
        "total_bottles": 9_007_199_254_740_993 + 74,
        "recipe": "COLA-500",
        "작업자": "김철수",
        "grade": "A",
        "shift_start": "08:00:00.000",
        "batch_date": "2026-04-14",
        "last_cleaning": "2026-04-14T07:33:57.000",
        "clock": "2026-04-14T07:33:57.000",
        "fill_setpoint": 500.0,
        "speed_setpoint": 120,
        "lamp": False,
        "emergency_stop": False,
        "valve_1": False,
        "mode": 1,
        "drip_time": 2000,
        "pallet": 3,
    }


async def test_setpoints_are_written_clamped_and_read_back() -> None:
    tags = described()
    async with S7Plc(demo_layout()) as plc, Device(plc) as device:
        await device.write(tags["fill_setpoint"], 330.5)
        await device.write(tags["speed_setpoint"], 999)
        await device.write(tags["lamp"], True)
        cycle = await device.read(tags["fill_setpoint"], tags["speed_setpoint"], tags["lamp"])
        assert plc.peek(Area.DB, 1, 206, 1) == b"\x08"
        assert len(plc.record.writes) == 3
    assert cycle.values == [330.5, 200, True]


@pytest.mark.parametrize("pdu", [240, 480, 960])
async def test_every_size_of_message(pdu: int) -> None:
    async with S7Plc({(Area.DB, 1): Block(2000)}, pdu=pdu) as plc, Device(plc, pdu=960) as device:
        plc.poke(Area.DB, 1, 0, b"".join(i.to_bytes(2, "big") for i in range(1000)))
        cycle = await device.read(*(word(at) for at in range(0, 2000, 2)))
        assert device.session.pdu == pdu
    assert cycle.values == list(range(1000))
    assert plc.record.refused.total() == 0


@pytest.mark.parametrize(
    ("order", "error"),
    [
        ("silent", NoAnswer),
        ("slow_s=0.5", NoAnswer),
        ("half_frame", NoAnswer),
        ("late", NoAnswer),
        ("half_and_close", SessionLost),
        ("wrong_reference", BadAnswer),
        ("wrong_function", BadAnswer),
        ("wrong_length=-1", BadAnswer),
        ("wrong_length=20000", BadAnswer),
        ("garbage", BadAnswer),
        ("fewer", BadAnswer),
        ("lost_item", BadAnswer),
        ("put_get_off", RequestRefused),
        ("error=34048", RequestRefused),
        ("optimised_blocks=1", RequestRefused),
        ("bad_bytes=1", RequestRefused),
        ("dead", SessionLost),
    ],
)
async def test_a_fault_gives_no_value_and_a_healed_cpu_its_own(order: str, error: type[ProtocolError]) -> None:
    async with S7Plc({(Area.DB, 1): Block(4, (Cell(0, Unique()),))}) as plc:
        async with Device(plc, timeout_s=0.3) as device:
            plc.faults.order(order)
            cycle = Cycle([None])
            with pytest.raises(error):
                cycle = await device.read(word(0))
            assert cycle.values == [None]
        plc.faults.clear()
        async with Device(plc) as device:
            assert (await device.read(word(0))).values == [len(plc.record.reads)]


async def test_a_message_in_pieces_or_a_byte_at_a_time_is_one() -> None:
    async with S7Plc({(Area.DB, 1): Block(4, (Cell(0, Unique(base=500)),))}) as plc, Device(plc) as device:
        plc.faults.fragments = 5
        assert (await device.read(word(0))).values == [501]
        plc.faults.clear()
        plc.faults.drip_s = 0.001
        assert (await device.read(word(0))).values == [502]


@pytest.mark.parametrize(("order", "why"), [("wrong_slot", "wrong rack or slot"), ("connection_limit=0", "closed")])
async def test_a_cpu_that_is_not_there(order: str, why: str) -> None:
    async with S7Plc(demo_layout()) as plc:
        plc.faults.order(order)
        with pytest.raises(ConnectFailed, match=why):
            await DRIVER.connect(Device(plc).connection)


async def test_a_deaf_cpu_costs_its_deadline() -> None:
    async with S7Plc(demo_layout()) as plc:
        plc.faults.deaf = True
        with pytest.raises(NoAnswer, match=r"did not speak S7 within 0.2 s"):
            await DRIVER.connect(Device(plc, timeout_s=0.2).connection)


async def test_no_answer_is_ever_taken_for_another() -> None:
    """Every read sees a value of its own; half of them are given up before their answer comes."""
    async with S7Plc({(Area.DB, 1): Block(4, (Cell(0, Unique()),))}) as plc, Device(plc) as device:
        tag = word(0)
        for _ in range(300):
            lost = asyncio.create_task(device.read(tag))
            await asyncio.sleep(0)
            lost.cancel()
            await asyncio.wait([lost])
            before = len(plc.record.reads)
            (value,) = (await device.read(tag)).values
            assert isinstance(value, int)
            assert before < value == len(plc.record.reads)


async def test_bad_quality_is_per_tag() -> None:
    layout = {(Area.DB, 1): Block(4, (Cell(0, Setpoint(float("nan")), Kind.REAL),))}
    async with S7Plc(layout) as plc, Device(plc) as device:
        cycle = await device.read(TagSpec("t", "DB1.DBD0", DataType.FLOAT32), word(0))
    assert cycle.bad == {0: Quality.NOT_A_NUMBER}
    assert cycle.values == [None, 0x7FC0]


async def test_the_command_runs_it_and_obeys() -> None:
    said: list[str] = []
    stop = asyncio.Event()
    running = asyncio.create_task(run_s7(echo=said.append, port=0, pdu=240, faults=["put_get_off"], stop=stop))
    while not said:
        await asyncio.sleep(0.005)
    port = int(said[0].partition("127.0.0.1:")[2].partition(":")[0])
    session = await DRIVER.connect(DRIVER.connection({"host": "127.0.0.1", "port": port}, 2))
    assert session.pdu == 240
    await session.close()
    stop.set()
    await running


async def test_bytes_that_are_no_s7_cost_their_own_connection() -> None:
    async with S7Plc(demo_layout()) as plc:
        for sent in (b"GET / HTTP/1.1\r\n\r\n", b"\3\0\0\x07\x02\xf0\x80", b"\3\0\xff\xff"):
            reader, writer = await asyncio.open_connection(plc.host, plc.port)
            writer.write(sent)
            assert await asyncio.wait_for(reader.read(), 2) == b""
            writer.close()
        assert plc.record.malformed == 3
        async with Device(plc) as device:
            await device.session._wire.send_data(b"\x32\x01\0\0\0\x09\0\0\0\0")
            with pytest.raises(SessionLost):
                await device.session._wire.receive_data()
        async with Device(plc) as device:
            await device.read(word(0))
