"""Commands in, one answer each: reads, checks, carries out, answers. A known id is answered, not carried out, again."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import NoReturn, Protocol

import structlog

from collector.clock import Clock
from collector.commands.answers import Answers
from collector.commands.arrivals import MAX_ARRIVED, Arrival, Arrivals
from collector.commands.audit import Audit, AuditFailed, answered
from collector.commands.freshness import check_freshness
from collector.commands.outcome import CommandFailed, DeviceHandler, Handler, Outcome
from collector.storage.command_store import KnownCommand, Sighting
from collector.storage.errors import StorageFailed
from fleet_client.commands import Command, read_command
from fleet_client.errors import InvalidCommand

log = structlog.get_logger()

MAX_WAITING = 100
MAX_UNNOTED = 256
WIND_UP_S = 1.0
CUT_OFF = "the collector was stopped while this was carried out; it is not carried out again"


ReadBack = Callable[[Command], Awaitable[Mapping[str, object]]]
"""What the tags hold that a command cut off was about; empty where nobody can tell. Takes its time."""


class Notes(Protocol):
    """What the router needs of a `Journal`."""

    async def begin(self, sighting: Sighting) -> KnownCommand | None: ...
    async def end(self, sighting: Sighting, answer: bytes) -> None: ...
    async def left_open(self) -> list[bytes]: ...


@dataclass(slots=True)
class _Case:
    """A command that is being dealt with, its body left out. Its `answer` is there once it may be told.

    `not_noted` says why the journal has no record of its begin, where it has none.
    """

    sighting: Sighting
    answer: bytes | None = None
    not_noted: str | None = None


class Router:
    """Takes payloads from the broker, gives each to the handler of its name, in the order they came.

    Every id is noted in the journal before anything is done about it. Commands of `device_handlers` are begun at once
    and end when their device lets them: each device has a queue of its own, so that a slow one holds up neither the
    others nor the rest. Those of `only_if_noted` are refused where the journal can not be written.
    """

    def __init__(
        self,
        handlers: Mapping[str, Handler],
        respond: Callable[[bytes], None],
        *,
        device_handlers: Mapping[str, DeviceHandler] | None = None,
        journal: Notes,
        audit: Audit,
        read_back: ReadBack,
        only_if_noted: Collection[str] = (),
        clock: Clock,
        max_age_ms: int,
        require_timestamp: bool,
    ) -> None:
        self._handlers = handlers
        self._device_handlers = device_handlers or {}
        self._answers = Answers(respond, clock)
        self._journal = journal
        self._audit = audit
        self._read_back = read_back
        self._only_if_noted = only_if_noted
        self._clock = clock
        self._max_age_ms = max_age_ms
        self._require_timestamp = require_timestamp
        self._arrivals = Arrivals()
        self._waiting: asyncio.Queue[tuple[Command, _Case]] = asyncio.Queue(MAX_WAITING)
        self._cases: dict[str, _Case] = {}
        self._unnoted: deque[str] = deque()
        self._under_way: set[asyncio.Task[None]] = set()

    def take(self, payload: bytes, retained: bool) -> None:
        """A message came on the command topic. Never raises."""
        try:
            command = read_command(payload)
        except InvalidCommand as error:
            self._answers.refuse_unreadable(error)
            return
        if not self._arrivals.put(Arrival(command, payload, retained, self._clock.wall_ms())):
            self._answers.turn_away(command, "busy", f"{MAX_ARRIVED} commands came at once")

    async def run(self) -> None:
        """Carry out what was taken, for ever: what is for a device beside the rest, which goes one after the other.

        When it is cancelled, what is under way has a second to end; what has not is answered after the next start.
        """
        left_open = await self._journal.left_open()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._run_in_turn(tasks), name="commands in turn")
            for payload in left_open:
                self._reopen(payload, tasks)
            try:
                while True:
                    await self._take_in(tasks)
            except asyncio.CancelledError:
                await self._wind_up(tasks)
                raise

    async def _take_in(self, tasks: asyncio.TaskGroup) -> None:
        arrivals = await self._arrivals.take()
        noted = await asyncio.gather(*(self._note(arrival) for arrival in arrivals))
        for arrival, (case, new) in zip(arrivals, noted, strict=True):
            if new:
                self._judge(arrival, case, tasks)
            else:
                self._repeat(arrival, case, tasks)
            await asyncio.sleep(0)  # one at a time, with everything else between, however many came at once

    async def _note(self, arrival: Arrival) -> tuple[_Case, bool]:
        """What is known of a command, and whether that is that it is new."""
        sighting = arrival.sighting
        if open_case := self._cases.get(sighting.id):
            return open_case, False
        case = self._cases[sighting.id] = _Case(replace(sighting, payload=b""))
        try:
            before = await self._journal.begin(sighting)
        except StorageFailed as error:
            log.error("no record of commands can be kept", reason=str(error))
            case.not_noted = str(error)
            return case, True
        if before is None:
            return case, True
        del self._cases[sighting.id]
        case.sighting, case.answer = replace(case.sighting, digest=before.digest), before.answer
        return case, False

    def _judge(self, arrival: Arrival, case: _Case, tasks: asyncio.TaskGroup) -> None:
        command = arrival.command
        try:
            check_freshness(
                command,
                retained=arrival.retained,
                now_ms=self._clock.wall_ms(),
                max_age_ms=self._max_age_ms,
                require_timestamp=self._require_timestamp,
            )
            if case.not_noted and command.command in self._only_if_noted:
                message = f"no record of the command can be kept, so it is not carried out: {case.not_noted}"
                raise CommandFailed("error", "internal", message)
            if command.command in self._device_handlers:
                self._begin(self._answer(command, case), tasks)
            elif self._waiting.full():
                raise CommandFailed("rejected", "busy", f"{MAX_WAITING} commands are waiting already")
            else:
                self._waiting.put_nowait((command, case))
        except CommandFailed as failure:
            self._begin(self._end(command, case, failure.outcome, self._clock.monotonic()), tasks)

    def _repeat(self, arrival: Arrival, case: _Case, tasks: asyncio.TaskGroup) -> None:
        """A known id: one that is being carried out is answered when it has ended."""
        if case.sighting.digest != arrival.digest:
            conflict = CommandFailed("rejected", "id_conflict", "this id was used before, with another body")
            self._begin(self._refuse_conflict(arrival.command, conflict.outcome), tasks)
        elif case.answer is not None:
            self._answers.send(case.answer)

    async def _refuse_conflict(self, command: Command, outcome: Outcome) -> None:
        """The id's own record stays as it is; that somebody used it for something else is worth one, too."""
        self._answers.send(self._answers.body(command, outcome, self._clock.monotonic()))
        with suppress(AuditFailed):
            await self._audit.record(answered(command, outcome))

    def _begin(self, work: Coroutine[None, None, None], tasks: asyncio.TaskGroup) -> asyncio.Task[None]:
        task = tasks.create_task(work, name="command")
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return task

    async def _run_in_turn(self, tasks: asyncio.TaskGroup) -> NoReturn:
        while True:
            command, case = await self._waiting.get()
            await self._begin(self._answer(command, case), tasks)

    async def _wind_up(self, tasks: asyncio.TaskGroup) -> None:
        """What has begun is worth a second: its answer is better than that its outcome is not known."""
        stopping = CommandFailed("rejected", "busy", "the collector is being stopped; nothing was done").outcome
        while not self._waiting.empty():
            command, case = self._waiting.get_nowait()
            self._begin(self._end(command, case, stopping, self._clock.monotonic()), tasks)
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=WIND_UP_S)

    async def _answer(self, command: Command, case: _Case) -> None:
        started = self._clock.monotonic()
        await self._end(command, case, await self._carry_out(command), started)

    async def _end(self, command: Command, case: _Case, outcome: Outcome, started: float) -> None:
        """Noted before it is told: an answer that was given must not become another after a crash."""
        answer = self._answers.body(command, outcome, started)
        to_repeat = self._answers.to_repeat(answer, command, outcome, started)
        try:
            await self._journal.end(case.sighting, to_repeat)
        except StorageFailed as error:
            log.error("no record of commands can be kept", reason=str(error))
            self._remember(case)
        else:
            del self._cases[case.sighting.id]
        case.answer = to_repeat
        self._answers.send(answer)
        with suppress(AuditFailed):  # said where it matters: before a write
            await self._audit.record(answered(command, outcome))

    def _remember(self, case: _Case) -> None:
        """Where the disk refuses, memory has to do, for the last ones."""
        self._unnoted.append(case.sighting.id)
        if len(self._unnoted) > MAX_UNNOTED:
            del self._cases[self._unnoted.popleft()]

    def _reopen(self, payload: bytes, tasks: asyncio.TaskGroup) -> None:
        """A crash cut it off: nobody knows whether it was carried out, but what its tags hold now can be read."""
        try:
            command = read_command(payload)
        except InvalidCommand as error:
            log.error("a command that was cut off can not be read any more", reason=str(error))
            return
        case = _Case(Arrival(command, payload, False, self._clock.wall_ms()).sighting)
        self._cases[case.sighting.id] = case
        tasks.create_task(self._answer_reopened(command, case), name="command cut off")

    async def _answer_reopened(self, command: Command, case: _Case) -> None:
        started = self._clock.monotonic()
        held = await self._outcome_of(self._read_back(command))
        outcome = Outcome("error", held.result, "outcome_unknown", CUT_OFF)
        await self._end(command, case, outcome, started)

    async def _carry_out(self, command: Command) -> Outcome:
        if at_device := self._device_handlers.get(command.command):
            return await self._outcome_of(at_device(command))
        if handler := self._handlers.get(command.command):
            return await self._outcome_of(handler(command.params))
        known = ", ".join((*self._handlers, *self._device_handlers))
        message = f"{command.command!r} is not known here; this version knows {known}"
        return CommandFailed("rejected", "unsupported", message).outcome

    async def _outcome_of(self, handling: Awaitable[Mapping[str, object]]) -> Outcome:
        try:
            return Outcome("success", await handling)
        except CommandFailed as failure:
            return failure.outcome
        except Exception as error:  # a handler's bug costs its command, not the router
            log.error("a command failed", exc_info=error)
            return Outcome("error", {}, "internal", f"{type(error).__name__}: {error}")
