"""Sessions that can ask ahead: the next questions go out before the answers to the last ones are in."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from protocols.base import Connection, Request


@runtime_checkable
class Pipelining(Protocol):
    """A session that may have several questions under way, where the device's `connection` allows it."""

    def announce(self, connection: Connection, requests: Sequence[Request]) -> int:
        """These are read next, in this order, and may be asked for before `read` is called.

        Returns how many answers one `read` may have to wait for, each with the time that it would have alone. What was
        announced before and has not been read is forgotten: its answers are thrown away.
        """
        ...
