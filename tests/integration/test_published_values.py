"""What a document says of values, seen by a subscriber: computed tags, texts, and nothing that has not changed."""

from pathlib import Path

from simulators.modbus import Cell, Table, Unit
from simulators.signals import Constant
from tests.doubles.hall import Hall, modbus_device

TAGS = [
    {"name": "mode", "address": "40001", "data_type": "UINT16", "value_map": {"1": "자동"}},
    {"name": "level", "address": "40002", "data_type": "UINT16", "scale": 0.1, "deadband": 0.5},
    {"name": "high", "expression": "level > 20 and mode == 1"},
]


async def test_all_at_first_then_only_every_publish_max_sec(tmp_path: Path) -> None:
    async with Hall(tmp_path) as hall:
        cells = (Cell(Table.HOLDING, 0, Constant(1)), Cell(Table.HOLDING, 1, Constant(254)))
        plc = await hall.plc({1: Unit(cells=cells)})
        device = modbus_device(plc, "1", interval_ms=100, tags=TAGS)
        hall.configure(device | {"publish": "on_change", "publish_max_sec": 2})
        hall.collector.start()
        await hall.until(lambda: len(hall.messages("data")) >= 3, what="the start and two refreshes")
        messages = hall.messages("data")
        assert [body["tags"] for body in messages[:3]] == [{"mode": "자동", "level": 25.4, "high": True}] * 3
        polls = len(plc.record.reads)
        assert polls > 10 * len(messages), "it is polled all the time"
