"""Siemens S7 for the registry."""

from collections.abc import Mapping, Sequence

from protocols import grammars
from protocols.base import NO_LESSONS, Lessons, TagSpec, Value
from protocols.s7.connection import DEFAULT_PORT, S7Connection, read_connection
from protocols.s7.points import S7Point, place
from protocols.s7.requests import S7Request, plan_requests
from protocols.s7.session import S7Session
from protocols.s7.writes import S7Write, encode_write


class S7Driver:
    """Reads and writes data blocks, flags, inputs, outputs, timers and counters; no other service of the CPU."""

    protocol: str = "s7"
    default_port: int | None = DEFAULT_PORT
    probe_address: str | None = None

    def connection(self, fields: Mapping[str, object], timeout_s: float) -> S7Connection:
        """Check `host`, `port`, `rack`, `slot`, `pdu`. Raises `Refused`."""
        return read_connection(fields, timeout_s)

    def fits(self, address: str) -> bool:
        """Whether it is written like an S7 address, in range or not."""
        return grammars.fits(self.protocol, address)

    def point(self, tag: TagSpec, connection: S7Connection) -> S7Point:
        """Place a tag. A BOOL on a word without a bit is whether the word is not zero."""
        return place(tag)

    def compile(
        self, connection: S7Connection, points: Sequence[S7Point], lessons: Lessons = NO_LESSONS
    ) -> tuple[S7Request, ...]:
        """Few requests that read all points but those in `lessons.avoid`, for messages of `connection.pdu` bytes."""
        return plan_requests(connection, points, lessons)

    def encode(self, connection: S7Connection, point: S7Point, value: Value) -> S7Write:
        """What is to be written so that the tag reads `value`. Raises `Unwritable`."""
        return encode_write(connection, point, value)

    async def connect(self, connection: S7Connection) -> S7Session:
        """Open a session and negotiate the size of its messages."""
        return await S7Session.open(connection)
