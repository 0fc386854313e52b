"""Listening to what goes over a device's wire. Nobody listens unless asked to, and then it costs nothing."""

from contextvars import ContextVar
from typing import Protocol, runtime_checkable


class FrameListener(Protocol):
    """Is told every byte as it goes."""

    def sent(self, frame: bytes) -> None:
        """A question was put on the wire."""
        ...

    def received(self, data: bytes) -> None:
        """Bytes came: a part of an answer, one, or several."""
        ...


LISTENER: ContextVar[FrameListener | None] = ContextVar("LISTENER", default=None)
"""Who listens, from the first byte on, to connections that are opened by tasks begun after it was set."""


@runtime_checkable
class Overheard(Protocol):
    """A session that can be listened to. OPC-UA's can not: its frames may bear a log-in, and are encrypted else."""

    def overhear(self, listener: FrameListener | None) -> None:
        """From now on `listener` is told, None for nobody."""
        ...
