"""One command writes every type in every order; each is read back as it was written, and lies where it should."""

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

from collector.commands.params import MAX_WRITTEN
from collector.status.board import DeviceCondition
from simulators.modbus import ModbusPlc, Table, Unit
from simulators.opcua import Node, OpcUaPlc
from simulators.s7 import Area, Block, S7Plc
from simulators.signals import Setpoint
from simulators.xgt import Memory, XgtPlc
from tests.doubles.command_desk import CommandDesk, message, verdict

ORDERS = ("ABCD", "DCBA", "BADC", "CDAB")
NUMBERS: dict[str, tuple[float, float]] = {
    "INT8": (-12, -12.8), "UINT8": (200, 25.5), "INT16": (-12_345, -1234.5), "UINT16": (54_321, 5432.1),
    "INT32": (-123_456_789, -12_345_678.9), "UINT32": (4_000_000_001, 400_000_000.1),
    "INT64": (-(2**60) - 1, -123_456.7), "UINT64": (2**63 + 1, 123_456.7), "FLOAT32": (25.4, 25.4),
    "FLOAT64": (0.1, 25.4), "BCD16": (1234, 123.4), "BCD32": (12_345_678, 1_234_567.8),
}  # fmt: skip
"""A value of each type at scale 1, and one at scale 0.1."""


def tags(address: str, step: int, *, text: bool = True) -> Iterator[tuple[dict[str, Any], Any]]:
    """Tags from a place on, `address` being made with a number that grows by `step` words, and what to write."""
    place = 0

    def tag(data_type: str, **fields: object) -> dict[str, Any]:
        nonlocal place
        entry = {"address": address.format(place * step), "data_type": data_type, "writable": True, **fields}
        place += 4 * int(str(fields.get("length", 1)))
        return {"name": f"{data_type} {place}", **entry}

    for (data_type, (plain, scaled)), order in product(NUMBERS.items(), ORDERS):
        yield tag(data_type, byte_order=order), plain
        yield tag(data_type, byte_order=order, scale=0.1), scaled
    yield tag("UINT16", length=3, scale=0.1), [0.1, 0.2, 6553.5]
    yield tag("BOOL", bit=5), True
    yield tag("BOOL", bit=11), True
    if text:
        for order in ORDERS:
            yield tag("STRING", byte_order=order, length=12, encoding="cp949"), "프레스 3호"


async def write_all(desk: CommandDesk, device: dict[str, Any], written: list[tuple[dict[str, Any], Any]]) -> None:
    desk.configure({"id": "1", "interval_ms": 60_000, **device, "tags": [tag for tag, _ in written]})
    await desk.online()
    values = {tag["name"]: value for tag, value in written}
    result: dict[str, Any] = {}
    for first in range(0, len(written), MAX_WRITTEN):
        some = {tag["name"]: value for tag, value in written[first : first + MAX_WRITTEN]}
        answer = await desk.send("write_tags", {"device_id": "1", "values": some})
        assert verdict(answer) == ("success", None), message(answer)
        assert isinstance(answer["result"], dict)
        result |= answer["result"]
    assert {name: each["value"] for name, each in result.items()} == values
    read = (await desk.send("read_tags", {"device_id": "1", "tags": list(values)}))["result"]
    assert read == {name: {**each, "quality": "good"} for name, each in result.items()}


async def test_modbus(tmp_path: Path) -> None:
    memory = {Table.HOLDING: (range(2000),)}
    async with ModbusPlc({1: Unit(memory=memory)}) as plc, CommandDesk(tmp_path) as desk:
        written = list(tags("HR{}", 1))
        bit = next(tag for tag, _ in written if tag.get("bit") == 5)
        place = int(bit["address"].removeprefix("HR"))
        plc.poke(1, Table.HOLDING, place, [0xFFDF])
        device = {"protocol": "modbus_tcp", "connection": {"host": "127.0.0.1", "port": plc.port}}
        await write_all(desk, device, written)
        assert plc.peek(1, Table.HOLDING, place) == [0xFFFF]
        answer = await desk.send("write_tag", {"device_id": "1", "tag": bit["name"], "value": 0})
        assert answer["result"] == {bit["name"]: {"value": False, "raw": False}}
        assert plc.peek(1, Table.HOLDING, place) == [0xFFDF]  # its neighbours as they were


async def test_xgt(tmp_path: Path) -> None:
    async with XgtPlc(Memory()) as plc, CommandDesk(tmp_path) as desk:
        connection = {"host": "127.0.0.1", "port": plc.port, "family": "xgk"}
        await write_all(desk, {"protocol": "xgt", "connection": connection}, list(tags("D{}", 1)))


async def test_s7(tmp_path: Path) -> None:
    async with S7Plc({(Area.DB, 1): Block(4000)}) as plc, CommandDesk(tmp_path) as desk:
        written = list(tags("DB1.DBW{}", 2, text=False))
        plc.poke(Area.DB, 1, 3000, bytes([20, 0]))
        dates = [
            ({"address": "DB1.STRING3000.20", "data_type": "STRING", "encoding": "cp949"}, "설정값"),
            ({"address": "DB1.DBD3100", "data_type": "TIME"}, 12_345),
            ({"address": "DB1.DBW3104", "data_type": "S5TIME"}, 12_300),
            ({"address": "DB1.DBW3106", "data_type": "DATE"}, "2026-04-17"),
            ({"address": "DB1.DBD3108", "data_type": "TIME_OF_DAY"}, "08:00:00.123"),
        ]
        written += [
            ({"name": str(number), "writable": True, **tag}, value) for number, (tag, value) in enumerate(dates)
        ]
        device = {"protocol": "s7", "connection": {"host": "127.0.0.1", "port": plc.port}}
        await write_all(desk, device, written)


async def test_opcua_takes_the_nodes_own_types_and_refuses_before_any_write_what_does_not_fit(tmp_path: Path) -> None:
    kinds = {"Boolean": True, "Int16": -5, "UInt16": 5, "Int32": -70_000, "Int64": 2**40, "Float": 25.4, "Double": 0.1}
    nodes = [Node(kind, f"Line.{kind}", kind, (Setpoint(0),)) for kind in kinds]
    nodes.append(Node("watched", "Line.watched", "UInt16", (Setpoint(1),), watched=True))
    async with OpcUaPlc(nodes) as plc, CommandDesk(tmp_path) as desk:
        written = [
            ({"name": kind, "address": f"ns=2;s=Line.{kind}", "writable": True}, value) for kind, value in kinds.items()
        ]
        written.append(
            ({"name": "watched", "address": "ns=2;s=Line.watched", "writable": True, "mode": "subscribe"}, 7)
        )
        device = {"protocol": "opcua", "connection": {"host": "127.0.0.1", "port": plc.port}}
        await write_all(desk, device, written)

        wrote = len(plc.writes)
        for wrong, code in (
            ({"Int16": 40_000}, "out_of_range"),
            ({"Int16": "5"}, "wrong_type"),
            ({"Float": 1e39}, "out_of_range"),
        ):
            values = {"UInt16": 9, **wrong}
            answer = await desk.send("write_tags", {"device_id": "1", "values": values})
            assert verdict(answer) == ("rejected", code), message(answer)
        assert len(plc.writes) == wrote

        answer = await desk.send("browse", {"device_id": "1", "node": "ns=2;s=Line"})
        result = answer["result"]
        assert isinstance(result, dict)
        children = {child["name"]: child for child in result["children"]}
        assert children["Int16"] == {
            "name": "Int16", "address": "ns=2;s=Line.Int16", "kind": "variable", "data_type": "Int16",
        }  # fmt: skip
        assert children.keys() == {*kinds, "watched"}
        assert verdict(await desk.send("browse", {"device_id": "1", "node": "nonsense"})) == (
            "rejected",
            "invalid_command",
        )
        assert verdict(await desk.send("browse", {"device_id": "1", "node": "ns=2;s=No"})) == ("error", "device_error")


async def test_what_is_computed_labelled_or_the_gateways_own(tmp_path: Path) -> None:
    memory = {Table.HOLDING: (range(10),)}
    async with ModbusPlc({1: Unit(memory=memory)}) as plc, CommandDesk(tmp_path) as desk:
        word = {"data_type": "UINT16", "writable": True}
        tags = [
            {**word, "name": "a", "address": "HR0", "scale": 0.5},
            {**word, "name": "mode", "address": "HR1", "value_map": {"0": "STOP", "1": "AUTO"}},
            {"name": "twice", "expression": "a * 2", "writable": True},
            {"name": "thrice", "expression": "twice + a"},
            {**word, "name": "gone", "address": "HR5000"},
        ]
        connection = {"host": "127.0.0.1", "port": plc.port}
        host = {"id": "gw", "protocol": "host", "tags": [{"name": "m", "address": "memory.percent", "writable": True}]}
        desk.configure({"id": "1", "protocol": "modbus_tcp", "connection": connection, "tags": tags}, host)
        plc.poke(1, Table.HOLDING, 0, [7, 1])
        answer = await desk.write("mode", "AUTO")
        assert verdict(answer) == ("error", "device_offline")  # before the first poll
        await desk.online("gw")
        await desk.until("1", DeviceCondition.DEGRADED)
        read = await desk.send("read_tags", {"device_id": "1", "tags": ["thrice", "mode", "gone"]})
        assert read["result"] == {
            "thrice": {"value": 10.5, "raw": None, "quality": "good"},
            "mode": {"value": "AUTO", "raw": 1, "quality": "good"},
            "gone": {"value": None, "raw": None, "quality": "bad_address"},
        }
        answer = await desk.write("mode", "STOP")
        assert answer["result"] == {"mode": {"value": "STOP", "raw": 0}}
        assert verdict(await desk.write("mode", "FAST")) == ("rejected", "wrong_type")
        assert verdict(await desk.write("twice", 1)) == ("rejected", "not_writable")
        assert verdict(await desk.write("gone", 1)) == ("error", "device_error")
        own = await desk.send("write_tag", {"device_id": "gw", "tag": "m", "value": 1})
        assert verdict(own) == ("rejected", "not_writable")
        assert verdict(await desk.send("browse", {"device_id": "1"})) == ("rejected", "unsupported")
        assert len(plc.record.writes) == 1
