"""Answers on their way out, one a command."""

from collections.abc import Callable
from dataclasses import replace

from collector.clock import Clock, iso_utc
from collector.commands.outcome import CommandFailed, Outcome
from collector.storage.command_store import NOT_REPEATED
from fleet_client.commands import Command
from fleet_client.errors import InvalidCommand
from fleet_client.payloads import Response, response_body

MAX_KEPT_BYTES = 64 * 1024
ANONYMOUS_PAUSE_S = 10.0


class Answers:
    """Writes answers and hands them to `send`."""

    def __init__(self, send: Callable[[bytes], None], clock: Clock) -> None:
        self.send = send
        self._clock = clock
        self._anonymous_after = 0.0

    def turn_away(self, command: Command, code: str, message: str) -> None:
        """Refuse what leaves no trace: its id stays free."""
        self.send(self.body(command, CommandFailed("rejected", code, message).outcome, self._clock.monotonic()))

    def refuse_unreadable(self, error: InvalidCommand) -> None:
        """Answered too, but what has no id at most once in 10 s: it may be anything, and it may be much."""
        now = self._clock.monotonic()
        if error.command_id is None:
            if now < self._anonymous_after:
                return
            self._anonymous_after = now + ANONYMOUS_PAUSE_S
        refusal = CommandFailed("rejected", "invalid_command", str(error)).outcome
        self.send(self._response(error.command_id, error.id_key, error.command, refusal, 0))

    def body(self, command: Command, outcome: Outcome, started: float) -> bytes:
        """The answer to a command that was begun at `started`, monotonic seconds."""
        duration_ms = round((self._clock.monotonic() - started) * 1000)
        return self._response(command.command_id, command.id_key, command.command, outcome, duration_ms)

    def to_repeat(self, answer: bytes, command: Command, outcome: Outcome, started: float) -> bytes:
        """What is answered to a repetition: the same, unless that is too large to be kept."""
        if len(answer) <= MAX_KEPT_BYTES:
            return answer
        return self.body(command, replace(outcome, result=NOT_REPEATED), started)

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
