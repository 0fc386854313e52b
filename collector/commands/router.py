"""Commands in, one answer each: reads, checks, carries out, answers. A known id is answered, not carried out, again."""

import asyncio
import hashlib
import json
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Protocol

import structlog

from collector.clock import Clock, iso_utc
from collector.commands.audit import Audit, AuditFailed
from collector.commands.freshness import check_freshness
from collector.commands.outcome import CommandFailed, DeviceHandler, Handler, Outcome
from collector.storage.command_store import KnownCommand, Sighting
from collector.storage.errors import StorageFailed
from fleet_client.commands import Command, read_command
from fleet_client.errors import InvalidCommand
from fleet_client.payloads import Response, response_body

log = structlog.get_logger()

MAX_WAITING = 100
MAX_ARRIVED = 10_000
MAX_REMEMBERED = 1_000
MAX_KEPT_BYTES = 64 * 1024
NOT_REPEATED: Mapping[str, object] = {"note": "this answer was too large to be kept; ask again under a new id"}
ANONYMOUS_PAUSE_S = 10.0


ReadBack = Callable[[Command], Awaitable[Mapping[str, object]]]
"""What the tags hold that a command cut off was about; empty where nobody can tell. Takes its time, never raises."""


class Notes(Protocol):
    """What the router needs of a `Journal`."""

    async def begin(self, sighting: Sighting) -> KnownCommand | None: ...
    async def end(self, command_id: str, answer: bytes) -> None: ...
    async def left_open(self) -> list[bytes]: ...


@dataclass(slots=True)
class _Known:
    """A command that was seen before: the digest of its body, and its answer once there is one.

    `not_noted` says why the journal has no record of it, where it has none.
    """

    digest: bytes
    answer: bytes | None = None
    not_noted: str | None = None


@dataclass(frozen=True, slots=True)
class _Arrival:
    """A command as it came."""

    command: Command
    payload: bytes
    digest: bytes
    retained: bool


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
        self._respond = respond
        self._journal = journal
        self._audit = audit
        self._read_back = read_back
        self._only_if_noted = only_if_noted
        self._clock = clock
        self._max_age_ms = max_age_ms
        self._require_timestamp = require_timestamp
        self._arrived: asyncio.Queue[_Arrival] = asyncio.Queue(MAX_ARRIVED)
        self._waiting: asyncio.Queue[tuple[Command, _Known]] = asyncio.Queue(MAX_WAITING)
        self._known: OrderedDict[str | int, _Known] = OrderedDict()
        self._anonymous_after = 0.0

    def take(self, payload: bytes, retained: bool) -> None:
        """A message came on the command topic. Never raises."""
        try:
            command = read_command(payload)
        except InvalidCommand as error:
            self._refuse_unreadable(error)
            return
        try:
            self._arrived.put_nowait(_Arrival(command, payload, hashlib.sha256(payload).digest(), retained))
        except asyncio.QueueFull:
            busy = CommandFailed("rejected", "busy", f"{MAX_ARRIVED} commands came at once")
            self._respond(self._body(command, busy.outcome, self._clock.monotonic()))

    async def run(self) -> None:
        """Carry out what was taken: what is for a device beside the rest, which goes one after the other."""
        left_open = await self._journal.left_open()
        async with asyncio.TaskGroup() as at_devices:
            at_devices.create_task(self._run_in_turn(), name="commands in turn")
            for payload in left_open:
                at_devices.create_task(self._answer_left_open(payload), name="command cut off")
            while True:
                arrivals = [await self._arrived.get()]
                while not self._arrived.empty():
                    arrivals.append(self._arrived.get_nowait())
                noted = await asyncio.gather(*(self._note(arrival) for arrival in arrivals))
                for arrival, (known, new) in zip(arrivals, noted, strict=True):
                    self._judge(arrival, known, new, at_devices)
                    await asyncio.sleep(0)  # one at a time, with everything else between, however many came at once

    async def _note(self, arrival: _Arrival) -> tuple[_Known, bool]:
        """What is known of a command, and whether that is that it is new."""
        command = arrival.command
        known = self._known.get(command.command_id)
        if known is not None:
            return known, False
        mine = self._remember(command, arrival.digest)
        sighting = Sighting(_key(command), arrival.digest, arrival.payload, self._clock.wall_ms())
        try:
            before = await self._journal.begin(sighting)
        except StorageFailed as error:
            log.error("no record of commands can be kept", reason=str(error))
            mine.not_noted = str(error)
            return mine, True
        if before is not None:
            mine.digest, mine.answer = before.digest, before.answer
        return mine, before is None

    def _judge(self, arrival: _Arrival, known: _Known, new: bool, at_devices: asyncio.TaskGroup) -> None:
        command = arrival.command
        if not new:
            self._answer_known(command, known, arrival.digest)
            return
        try:
            check_freshness(
                command,
                retained=arrival.retained,
                now_ms=self._clock.wall_ms(),
                max_age_ms=self._max_age_ms,
                require_timestamp=self._require_timestamp,
            )
            if known.not_noted and command.command in self._only_if_noted:
                message = f"no record of the command can be kept, so it is not carried out: {known.not_noted}"
                raise CommandFailed("error", "internal", message)
            if command.command in self._device_handlers:
                at_devices.create_task(self._answer(command, known), name=f"command {command.command}")
            elif self._waiting.full():
                raise CommandFailed("rejected", "busy", f"{MAX_WAITING} commands are waiting already")
            else:
                self._waiting.put_nowait((command, known))
        except CommandFailed as failure:
            at_devices.create_task(self._end(command, known, failure.outcome, self._clock.monotonic()))

    async def _run_in_turn(self) -> None:
        while True:
            await self._answer(*await self._waiting.get())

    async def _answer(self, command: Command, known: _Known) -> None:
        started = self._clock.monotonic()
        await self._end(command, known, await self._carry_out(command), started)

    async def _end(self, command: Command, known: _Known, outcome: Outcome, started: float) -> None:
        """Noted before it is told: an answer that was given must not become another after a crash."""
        known.answer = answer = self._body(command, outcome, started)
        if len(answer) > MAX_KEPT_BYTES:
            known.answer = self._body(command, replace(outcome, result=NOT_REPEATED), started)
        try:
            await self._journal.end(_key(command), known.answer)
        except StorageFailed as error:
            log.error("no record of commands can be kept", reason=str(error))
        self._respond(answer)
        with suppress(AuditFailed):  # said where it matters: before a write
            await self._audit.record(_entry(command, outcome))

    async def _answer_left_open(self, payload: bytes) -> None:
        """A crash cut it off: nobody knows whether it was carried out, but what its tags hold now can be read."""
        command = read_command(payload)
        started = self._clock.monotonic()
        known = self._remember(command, hashlib.sha256(payload).digest())
        held = await self._read_back(command)
        message = "the collector was stopped while this was carried out; it is not carried out again"
        await self._end(command, known, Outcome("error", held, "outcome_unknown", message), started)

    async def _carry_out(self, command: Command) -> Outcome:
        try:
            return Outcome("success", await self._handle(command))
        except CommandFailed as failure:
            return failure.outcome
        except Exception as error:  # a handler's bug costs its command, not the router
            log.error("a command failed", command=command.command, exc_info=error)
            return Outcome("error", {}, "internal", f"{type(error).__name__}: {error}")

    async def _handle(self, command: Command) -> Mapping[str, object]:
        if at_device := self._device_handlers.get(command.command):
            return await at_device(command)
        if handler := self._handlers.get(command.command):
            return await handler(command.params)
        known = ", ".join((*self._handlers, *self._device_handlers))
        raise CommandFailed(
            "rejected", "unsupported", f"{command.command!r} is not known here; this version knows {known}"
        )

    def _remember(self, command: Command, digest: bytes) -> _Known:
        known = self._known[command.command_id] = _Known(digest)
        while len(self._known) > MAX_REMEMBERED:
            self._known.popitem(last=False)
        return known

    def _answer_known(self, command: Command, known: _Known, digest: bytes) -> None:
        if known.digest != digest:
            conflict = CommandFailed("rejected", "id_conflict", "this id was used before, with another body")
            self._respond(self._body(command, conflict.outcome, self._clock.monotonic()))
        elif known.answer is not None:
            self._respond(known.answer)

    def _body(self, command: Command, outcome: Outcome, started: float) -> bytes:
        duration_ms = round((self._clock.monotonic() - started) * 1000)
        return self._response(command.command_id, command.id_key, command.command, outcome, duration_ms)

    def _refuse_unreadable(self, error: InvalidCommand) -> None:
        """Answered too, but what has no id at most once in 10 s: it may be anything, and it may be much."""
        now = self._clock.monotonic()
        if error.command_id is None:
            if now < self._anonymous_after:
                return
            self._anonymous_after = now + ANONYMOUS_PAUSE_S
        refusal = CommandFailed("rejected", "invalid_command", str(error)).outcome
        self._respond(self._response(error.command_id, error.id_key, error.command, refusal, 0))

    def _response(
        self, command_id: str | int | None, id_key: str | None, command: str | None, outcome: Outcome, duration_ms: int
    ) -> bytes:
        return response_body(
            Response(
                command_id=command_id,
                id_key=id_key,
                command=command,
                status=outcome.status,
                result=outcome.result,
                error_code=outcome.code,
                error_message=outcome.message,
                timestamp=iso_utc(self._clock.wall_ms()),
                duration_ms=duration_ms,
            )
        )


def _entry(command: Command, outcome: Outcome) -> Mapping[str, object]:
    return {
        "stage": "command",
        "command_id": command.command_id,
        "command": command.command,
        "device_id": command.params.get("device_id"),
        "status": outcome.status,
        "code": outcome.code,
    }


def _key(command: Command) -> str:
    """The id as JSON text: 1 and "1" are two."""
    return json.dumps(command.command_id, ensure_ascii=False)
