"""How a command ended, as its answer says it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from fleet_client.payloads import ResponseStatus

Params = Mapping[str, object]
Handler: TypeAlias = Callable[[Params], Awaitable[Mapping[str, object]]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """`result` is empty unless it succeeded; `code` and `message` are None if it did."""

    status: ResponseStatus
    result: Mapping[str, object]
    code: str | None = None
    message: str | None = None


class CommandFailed(Exception):
    """Raised by a handler that could not do what was asked.

    `rejected` is for what was refused before anything was tried, `error` for what was tried and failed.
    """

    def __init__(self, status: ResponseStatus, code: str, message: str) -> None:
        super().__init__(message)
        self.status: ResponseStatus = status
        self.code = code

    @property
    def outcome(self) -> Outcome:
        """What the answer says."""
        return Outcome(self.status, {}, self.code, str(self))
