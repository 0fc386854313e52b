"""XGT for the registry."""

import secrets
from collections.abc import Mapping, Sequence

from protocols import grammars
from protocols.base import NO_LESSONS, Lessons, TagSpec, Value
from protocols.tcp import dial
from protocols.xgt.connection import DEFAULT_PORT, XgtConnection, read_connection
from protocols.xgt.points import XgtPoint, place
from protocols.xgt.requests import XgtRequest, plan_requests
from protocols.xgt.session import XgtSession
from protocols.xgt.writes import XgtWrite, plan_write


class XgtDriver:
    """Reads blocks of bytes, words and contacts; writes words, bytes and blocks. Bits go by their words."""

    protocol: str = "xgt"
    default_port: int | None = DEFAULT_PORT
    probe_address: str | None = "%MW0"

    def connection(self, fields: Mapping[str, object], timeout_s: float) -> XgtConnection:
        """Check `host`, `port`, `family` (`cpu`), `max_bytes`. Raises `Refused`."""
        return read_connection(fields, timeout_s)

    def fits(self, address: str) -> bool:
        """Whether it is written like an XGT address, in range or not."""
        return grammars.fits(self.protocol, address)

    def point(self, tag: TagSpec, connection: XgtConnection) -> XgtPoint:
        """Place a tag. A BOOL on a word without a bit is whether the word is not zero."""
        return place(tag, connection)

    def compile(
        self,
        connection: XgtConnection,
        points: Sequence[XgtPoint],
        lessons: Lessons = NO_LESSONS,
    ) -> tuple[XgtRequest, ...]:
        """The fewest requests that read all points but those in `lessons.avoid`."""
        return plan_requests(connection, points, lessons)

    def encode(self, connection: XgtConnection, point: XgtPoint, value: Value) -> XgtWrite:
        """What is to be written so that the tag reads `value`. Raises `Unwritable`."""
        return plan_write(connection, point, value)

    async def connect(self, connection: XgtConnection) -> XgtSession:
        """Open a TCP connection. There is no log-in; devices behind one address may share it."""
        first_invoke = 1 + secrets.randbelow(0xFFFF)
        return await dial(
            connection.host,
            connection.port,
            connection.timeout_s,
            lambda: XgtSession(connection.where, first_invoke),
        )
