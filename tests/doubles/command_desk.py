"""Commands in, answers out: the real router, handlers, lanes and drivers, without a broker between."""

import asyncio
import itertools
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self, cast

from collector.clock import Clock, SystemClock
from collector.commands.allow_list import AllowList
from collector.commands.audit import AuditFailed
from collector.commands.cut_off import ReadBackLater
from collector.commands.devices import Devices
from collector.commands.outcome import CommandFailed
from collector.commands.pace import Pace
from collector.commands.pausing import PauseCommands
from collector.commands.reading import ReadCommands
from collector.commands.router import Router
from collector.commands.writing import WriteCommands, WriteGuards
from collector.config.plan import Plan
from collector.config.planner import PlanOptions, plan_document
from collector.polling.probe import DriverOf
from collector.polling.scan import Scan
from collector.polling.supervisor import Supervisor
from collector.status.board import Board, DeviceCondition
from fleet_client.reading import read_document
from protocols import registry
from tests.doubles.command_notes import MemoryAudit, MemoryJournal

Answer = dict[str, object]


class ListedAudit:
    """Keeps its entries in a list, until it is `full`; `on_record` happens between what is read and what is written."""

    def __init__(self) -> None:
        self.entries: list[Mapping[str, object]] = []
        self.full = False
        self.on_record: Callable[[], object] | None = None

    async def record(self, entry: Mapping[str, object]) -> None:
        if self.full:
            raise AuditFailed("no space left on device")
        self.entries.append(entry)
        if self.on_record:
            self.on_record()


class CommandDesk:
    """``async with CommandDesk(folder) as desk``: configure it, then send. `scans` are what was delivered."""

    def __init__(
        self,
        folder: Path,
        *,
        writes: bool = True,
        allow_file: Path | None = None,
        clock: Clock | None = None,
        driver_of: DriverOf = registry.driver,
    ) -> None:
        self.clock = clock or SystemClock()
        self.board = Board(self.clock)
        self.audit = ListedAudit()
        self.clock_in_doubt = False
        self.scans: list[Scan] = []
        self.answers: dict[object, Answer] = {}
        self.supervisor = Supervisor(clock=self.clock, board=self.board, deliver=self.scans.append, driver_of=driver_of)
        self.pace = Pace(self.clock)
        devices = Devices(self.supervisor, self.clock)
        guards = WriteGuards(
            enabled=writes,
            allow_list=AllowList(allow_file, self.board),
            audit=self.audit,
            clock_in_doubt=lambda: self.clock_in_doubt,
            pace=self.pace,
        )
        self.pauses = PauseCommands(self.supervisor, self.board, folder)
        reads = ReadCommands(devices).handlers()
        self.router = Router(
            self.pauses.handlers(),
            self._take,
            device_handlers=reads | WriteCommands(devices, guards).handlers(),
            journal=MemoryJournal(),
            audit=MemoryAudit(),
            read_back=ReadBackLater(reads["read_tags"]),
            clock=self.clock,
            max_age_ms=60_000,
            require_timestamp=False,
        )
        self._numbers = itertools.count(1)
        self._changed = asyncio.Event()

    async def __aenter__(self) -> Self:
        await self.supervisor.__aenter__()
        self._running = asyncio.create_task(self.router.run())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running.cancel()
        await asyncio.gather(self._running, return_exceptions=True)
        await self.supervisor.__aexit__(kind, error, trace)

    def configure(self, *devices: Mapping[str, object]) -> Plan:
        """Apply a document; nothing of it may be refused."""
        body = json.dumps({"devices": devices}).encode()
        plan = plan_document(read_document(body, expected_edge_ids=None), PlanOptions("edge-1"))
        assert plan.problems == ()
        self.supervisor.apply(plan)
        return plan

    async def online(self, device_id: str = "1") -> None:
        """Until the device is."""
        await self.until(device_id, DeviceCondition.ONLINE)

    async def until(self, device_id: str, condition: DeviceCondition) -> None:
        """Until the device is in this state."""
        async with asyncio.timeout(10):
            while self.board.devices[device_id].condition is not condition:
                await asyncio.sleep(0.005)

    async def polled(self, times: int = 2) -> None:
        """Until so many more polls brought a value."""
        begun = len(self.scans)
        async with asyncio.timeout(10):
            while sum(not scan.empty for scan in self.scans[begun:]) < times:
                await asyncio.sleep(0.005)

    def post(self, command: str, params: Mapping[str, object], **fields: object) -> str:
        """Send without waiting; returns the id."""
        command_id = f"c-{next(self._numbers)}"
        sent = {"command_id": command_id, "command": command, "params": params, **fields}
        self.router.take(json.dumps(sent).encode(), retained=False)
        return command_id

    async def send(self, command: str, params: Mapping[str, object], **fields: object) -> Answer:
        """Send, and wait for the answer."""
        return await self.answer(self.post(command, params, **fields))

    async def answer(self, command_id: str) -> Answer:
        """The answer to a command that was sent."""
        async with asyncio.timeout(40):
            while command_id not in self.answers:
                self._changed.clear()
                await self._changed.wait()
        return self.answers[command_id]

    async def write(self, tag: str, value: object, **fields: object) -> Answer:
        """`write_tag` to device 1."""
        return await self.send("write_tag", {"device_id": "1", "tag": tag, "value": value}, **fields)

    def _take(self, body: bytes) -> None:
        answer = cast(Answer, json.loads(body))
        self.answers[answer["command_id"]] = answer
        self._changed.set()


def verdict(answer: Answer) -> tuple[object, object]:
    """Its status and the error's code."""
    error = answer["error"]
    return answer["status"], error["code"] if isinstance(error, dict) else None


def message(answer: Answer) -> str:
    """The error's text."""
    error = answer["error"]
    return str(error["message"]) if isinstance(error, dict) else ""


def failure_of(call: Callable[[], object]) -> CommandFailed | None:
    """How it fails, None if it does not."""
    try:
        call()
    except CommandFailed as failure:
        return failure
    return None
