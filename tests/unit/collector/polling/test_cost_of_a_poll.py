"""What a poll costs, in counts that are the same on every machine: a change that makes it dearer fails here."""

import asyncio
import itertools
import struct
import sys
import tracemalloc
from collections.abc import Callable
from decimal import Decimal
from types import FrameType
from typing import cast

import orjson
import pytest

from collector.config.plan import DevicePlan, PollGroup
from collector.delivery.encode import ScanEncoder
from collector.delivery.message import Message
from collector.polling.device import DevicePoller
from collector.polling.scan import Scan
from collector.status.board import Board
from protocols import registry
from protocols.base import DataType, PlcSession, TagSpec
from protocols.modbus.tcp_session import ModbusTcpSession
from tests.doubles.clock import LoopClock

TAGS = 1_000
REQUESTS = 8
"""Of 125 registers, as many as Modbus allows."""
_QUESTION = struct.Struct(">HHHBBHH")
_ANSWER = struct.Struct(">HHHBBB")


class MemoryPlc(asyncio.Transport):
    """Holding registers that say their own number, asked without a wire: each question is answered at once."""

    def __init__(self, session: ModbusTcpSession) -> None:
        super().__init__()
        self.asked = 0
        self._session = session

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.asked += 1
        transaction, _, _, unit, function, offset, count = _QUESTION.unpack(data)
        head = _ANSWER.pack(transaction, 0, 3 + 2 * count, unit, function, 2 * count)
        self._session.data_received(head + struct.pack(f">{count}H", *range(offset, offset + count)))


class Polled:
    """A device of 1,000 UINT16 × 0.1, from the question on the wire to the bytes for the broker, or to the values."""

    def __init__(self, *, encodes: bool = True) -> None:
        driver, clock = registry.driver("modbus_tcp"), LoopClock()
        connection = driver.connection({"host": "plc"}, 3.0)
        specs = [
            TagSpec(f"temperature_{number:04d}", str(40_001 + number), DataType.UINT16, scale=Decimal("0.1"))
            for number in range(TAGS)
        ]
        points = tuple(driver.point(spec, connection) for spec in specs)
        group = PollGroup(1000, tuple(range(TAGS)), points, driver.compile(connection, points))
        self.plan = DevicePlan(
            id="1",
            name="프레스",
            protocol="modbus_tcp",
            connection=connection,
            groups=(group,),
            names=tuple(spec.name for spec in specs),
            connection_id=1,
            equipment_id=None,
            request_delay_s=0.0,
        )
        self.messages: list[Message] = []
        numbers = itertools.count(1)
        self._encoder = ScanEncoder(
            topic=lambda: "vexplor/devices/edge/data",
            epoch="mi4k2x9a",
            next_seq=lambda: next(numbers),
            meta=True,
            send_empty=False,
        )
        self._poller = DevicePoller(driver, self.plan, 0.0, clock=clock, board=Board(clock), deliver=self._deliver)
        self._session = ModbusTcpSession("plc:502")
        self.plc = MemoryPlc(self._session)
        self._session.connection_made(self.plc)
        self._encodes = encodes

    async def poll(self) -> None:
        await self._poller.poll(cast(PlcSession, self._session), self._poller.due)

    def _deliver(self, scan: Scan) -> None:
        if self._encodes:
            self.messages = [message for _, message in self._encoder.messages(scan)]


async def test_1_000_registers_are_eight_questions_and_one_message_of_little_but_names_and_values() -> None:
    polled = Polled()
    await polled.poll()
    assert polled.plc.asked == REQUESTS
    [message] = polled.messages
    tags = {name: number / 10 for number, name in enumerate(polled.plan.names)}
    assert orjson.loads(message.payload)["tags"] == tags
    assert len(message.payload) - len(orjson.dumps(tags)) <= 130


async def test_a_poll_needs_memory_for_its_values_and_its_message_only_and_leaves_none_behind() -> None:
    polled = Polled()
    for _ in range(5):
        await polled.poll()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        await polled.poll()
        first, peak = tracemalloc.get_traced_memory()
        for _ in range(50):
            await polled.poll()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    [message] = polled.messages
    assert peak - before <= 1_000 * TAGS
    assert first - before <= 2 * len(message.payload)
    assert after - first <= 50 * 500


async def test_values_are_numbers_in_one_list_and_nothing_is_kept_for_each_beside_it() -> None:
    """Of the 40 bytes a value, 24 are the number and 8 its place in the list."""
    polled = Polled(encodes=False)
    await polled.poll()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        await polled.poll()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak - before <= 60 * TAGS


async def test_nothing_is_called_for_each_value() -> None:
    """Neither a function nor a class: what a value needs is done for a whole block at a time."""
    polled, called = Polled(), 0

    def count(_frame: FrameType, event: str, _what: object) -> None:
        nonlocal called
        called += event in ("call", "c_call")

    await polled.poll()
    sys.setprofile(count)
    try:
        await polled.poll()
    finally:
        sys.setprofile(None)
    assert 0 < called < TAGS


async def test_answers_that_are_there_are_taken_in_the_same_turn_of_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """No task a request: a poll waits for the PLC, and for nothing of its own."""
    polled, loop, turns = Polled(), asyncio.get_running_loop(), []
    call_soon: Callable[..., asyncio.Handle] = loop.call_soon

    def counted(*arguments: object, **options: object) -> asyncio.Handle:
        turns.append(arguments[0])
        return call_soon(*arguments, **options)

    await polled.poll()
    monkeypatch.setattr(loop, "call_soon", counted)
    await polled.poll()
    assert turns == []


async def test_a_poll_sets_no_timer_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """One watches over all questions, one over all answers, whatever the number of polls."""
    polled, loop, timers = Polled(), asyncio.get_running_loop(), []
    call_at: Callable[..., asyncio.TimerHandle] = loop.call_at

    def counted(*arguments: object, **options: object) -> asyncio.TimerHandle:
        timers.append(arguments[0])
        return call_at(*arguments, **options)

    monkeypatch.setattr(loop, "call_at", counted)
    for _ in range(100):
        await polled.poll()
    assert len(timers) <= 2
