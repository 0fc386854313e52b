"""The gateway itself, for the registry."""

from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from pathlib import Path
from typing import Never

from protocols.base import NO_LESSONS, Lessons, TagSpec, Value
from protocols.errors import Refused, Unwritable
from protocols.host.addresses import parse_address
from protocols.host.requests import HostConnection, HostPoint, HostRequest, place, plan_requests
from protocols.host.session import HostSession

HOST_ROOT: ContextVar[Path] = ContextVar("HOST_ROOT", default=Path("/"))
"""Where the machine's own files are, for all sessions opened by tasks begun after it was set."""


class HostDriver:
    """Reads the figures of the machine that the collector runs on."""

    protocol: str = "host"
    default_port: int | None = None

    def connection(self, fields: Mapping[str, object], timeout_s: float) -> HostConnection:
        """The machine has no fields; whatever is in `fields` is ignored."""
        return HostConnection(timeout_s)

    def fits(self, address: str) -> bool:
        """Whether it is written like a figure of a machine."""
        try:
            parse_address(address)
        except Refused:
            return False
        return True

    def point(self, tag: TagSpec, connection: HostConnection) -> HostPoint:
        """Place a tag; whether the machine has the figure is only seen when it is read."""
        return place(tag)

    def compile(
        self, connection: HostConnection, points: Sequence[HostPoint], lessons: Lessons = NO_LESSONS
    ) -> tuple[HostRequest, ...]:
        """One request a source, and one a mount point."""
        return plan_requests(points, lessons)

    def encode(self, connection: HostConnection, point: HostPoint, value: Value) -> Never:
        """Nothing of the machine can be set. Raises `Unwritable`."""
        raise Unwritable("not_writable", f"{connection.where} has figures to read and nothing to set")

    async def connect(self, connection: HostConnection) -> HostSession:
        """A session; there is nobody to connect to."""
        return HostSession(connection, HOST_ROOT.get())
