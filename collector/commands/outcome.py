"""How a command ended, as its answer says it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from fleet_client.commands import Command
from fleet_client.payloads import ResponseStatus

Params = Mapping[str, object]
Handler: TypeAlias = Callable[[Params], Awaitable[Mapping[str, object]]]
DeviceHandler: TypeAlias = Callable[[Command], Awaitable[Mapping[str, object]]]
"""Of a command that waits for its turn at one device: it holds up no other, and knows its own id and its times."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """`result` is what was achieved: all of it, or what came before a failure. `code` and `message` are None if
    it succeeded."""

    status: ResponseStatus
    result: Mapping[str, object]
    code: str | None = None
    message: str | None = None


class CommandFailed(Exception):
    """Raised by a handler that could not do what was asked.

    `rejected` is for what was refused before anything was tried, `error` for what was tried and failed; `result`
    is what was achieved before.
    """

    def __init__(
        self, status: ResponseStatus, code: str, message: str, result: Mapping[str, object] | None = None
    ) -> None:
        super().__init__(message)
        self.status: ResponseStatus = status
        self.code = code
        self.result = result or {}

    @property
    def outcome(self) -> Outcome:
        """What the answer says."""
        return Outcome(self.status, self.result, self.code, str(self))
