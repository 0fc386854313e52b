"""What comes of asking for a document, wherever it is kept."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Fetched:
    """A document as it came. ``etag`` is the header verbatim; ``edge_id`` is the spelling, ``path`` the path asked.

    ``server_date`` is the server's `Date` header in UTC, None where there was none to be read.
    """

    body: bytes
    body_sha256: str
    etag: str | None
    edge_id: str
    path: str
    server_date: datetime | None


@dataclass(frozen=True, slots=True)
class NotModified:
    """The document that the given ETag names is still the present one."""

    server_date: datetime | None
