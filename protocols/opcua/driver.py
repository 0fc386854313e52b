"""OPC-UA for the registry. asyncua is loaded by the first connection, and no earlier."""

import asyncio
import math
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from protocols import grammars
from protocols.base import NO_LESSONS, Lessons, TagSpec, Value
from protocols.errors import Unwritable
from protocols.opcua.connection import DEFAULT_PORT, OpcUaConnection, read_connection
from protocols.opcua.points import OpcUaPoint, place
from protocols.opcua.requests import OpcUaRequest, OpcUaWrite, plan_requests

if TYPE_CHECKING:
    from protocols.opcua.session import OpcUaSession


class OpcUaDriver:
    """Reads nodes in bulk, watches them by subscription, writes and browses.

    `state_folder` keeps our own certificate and those of the servers that are trusted; it is made at first use.
    Without one only connections without security and without a password can be opened.
    """

    protocol: str = "opcua"
    default_port: int | None = DEFAULT_PORT
    probe_address: str | None = None

    def __init__(self, state_folder: Path | None = None) -> None:
        self._state_folder = state_folder

    def connection(self, fields: Mapping[str, object], timeout_s: float) -> OpcUaConnection:
        """Check endpoint, security, log-in and trust. Raises `Refused`, never with a secret in its message."""
        return read_connection(fields, timeout_s)

    def fits(self, address: str) -> bool:
        """Whether it is written like a node id."""
        return grammars.fits(self.protocol, address)

    def point(self, tag: TagSpec, connection: OpcUaConnection) -> OpcUaPoint:
        """Place a tag. Raises `Refused`."""
        return place(tag)

    def compile(
        self,
        connection: OpcUaConnection,
        points: Sequence[OpcUaPoint],
        lessons: Lessons = NO_LESSONS,
    ) -> tuple[OpcUaRequest, ...]:
        """The fewest requests for all points but those in `lessons.avoid`: polled ones apart from watched ones."""
        return plan_requests(connection, points, lessons)

    def encode(self, connection: OpcUaConnection, point: OpcUaPoint, value: Value) -> OpcUaWrite:
        """A write of `value`. Whether the node's type holds it only the session finds out, from the server.

        Raises `Unwritable` for what no type of node holds.
        """
        if isinstance(value, float) and not math.isfinite(value):
            raise Unwritable("out_of_range", f"{value} is no number that can be written")
        if point.bit is not None and value not in (0, 1):
            raise Unwritable("wrong_type", f"{value!r} is no value of a bit; expected true or false")
        return OpcUaWrite(point, value, connection.where, connection.timeout_s)

    async def connect(self, connection: OpcUaConnection) -> "OpcUaSession":
        """Open a session. The time to load the library, once a process, does not count."""
        opening = await asyncio.to_thread(import_module, "protocols.opcua.opening")
        session: OpcUaSession = await opening.open_session(connection, self._state_folder)
        return session
