"""Commands in, one answer each: reads, checks, carries out, answers. A known id is answered, not carried out, again."""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog

from collector.clock import Clock, iso_utc
from collector.commands.freshness import check_freshness
from collector.commands.outcome import CommandFailed, DeviceHandler, Handler, Outcome
from fleet_client.commands import Command, read_command
from fleet_client.errors import InvalidCommand
from fleet_client.payloads import Response, response_body

log = structlog.get_logger()

MAX_WAITING = 100
MAX_REMEMBERED = 1_000
ANONYMOUS_PAUSE_S = 10.0


@dataclass(slots=True)
class _Known:
    """A command that was seen before: the digest of its body, and its answer once there is one."""

    digest: bytes
    answer: bytes | None = None


class Router:
    """Takes payloads from the broker, gives each to the handler of its name, in the order they came.

    Those of `device_handlers` are begun at once and end when their device lets them: each device has a queue of its
    own, so that a slow one holds up neither the others nor the rest.
    """

    def __init__(
        self,
        handlers: Mapping[str, Handler],
        respond: Callable[[bytes], None],
        *,
        device_handlers: Mapping[str, DeviceHandler] | None = None,
        clock: Clock,
        max_age_ms: int,
        require_timestamp: bool,
    ) -> None:
        self._handlers = handlers
        self._device_handlers = device_handlers or {}
        self._respond = respond
        self._clock = clock
        self._max_age_ms = max_age_ms
        self._require_timestamp = require_timestamp
        self._waiting: asyncio.Queue[tuple[Command, _Known]] = asyncio.Queue(MAX_WAITING)
        self._for_devices: asyncio.Queue[tuple[Command, _Known]] = asyncio.Queue()  # emptied at once
        self._known: OrderedDict[str | int, _Known] = OrderedDict()
        self._anonymous_after = 0.0

    def take(self, payload: bytes, retained: bool) -> None:
        """A message came on the command topic. Never raises; a command that is refused is answered at once."""
        try:
            command = read_command(payload)
        except InvalidCommand as error:
            self._refuse_unreadable(error)
            return
        digest = hashlib.sha256(payload).digest()
        known = self._known.get(command.command_id)
        if known is not None:
            self._answer_known(command, known, digest)
            return
        try:
            queue = self._for_devices if command.command in self._device_handlers else self._waiting
            self._admit(command, retained, queue)
        except CommandFailed as failure:
            self._respond(self._body(command, failure.outcome, self._clock.monotonic()))
        else:
            queue.put_nowait((command, self._remember(command, digest)))

    def _admit(self, command: Command, retained: bool, queue: asyncio.Queue[tuple[Command, _Known]]) -> None:
        check_freshness(
            command,
            retained=retained,
            now_ms=self._clock.wall_ms(),
            max_age_ms=self._max_age_ms,
            require_timestamp=self._require_timestamp,
        )
        if queue.full():
            raise CommandFailed("rejected", "busy", f"{MAX_WAITING} commands are waiting already")

    async def run(self) -> None:
        """Carry out what was taken: what is for a device beside the rest, which goes one after the other."""
        async with asyncio.TaskGroup() as at_devices:
            at_devices.create_task(self._run_in_turn(), name="commands in turn")
            while True:
                command, known = await self._for_devices.get()
                at_devices.create_task(self._answer(command, known), name=f"command {command.command}")
                await asyncio.sleep(0)  # one at a time, with everything else between, however many came at once

    async def _run_in_turn(self) -> None:
        while True:
            await self._answer(*await self._waiting.get())

    async def _answer(self, command: Command, known: _Known) -> None:
        started = self._clock.monotonic()
        known.answer = self._body(command, await self._carry_out(command), started)
        self._respond(known.answer)

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
