"""Where the document comes from."""

from typing import Protocol

from fleet_client.fetched import Fetched, NotModified


class ConfigSource(Protocol):
    """Gives the document on request. `edge_id` is the spelling of the edge's id that proved right so far."""

    name: str
    edge_id: str

    async def fetch(self, etag: str | None) -> Fetched | NotModified:
        """The document, unless `etag` still names it. Raises `FleetError`."""
        ...

    async def news(self) -> None:
        """Return when it is worth asking before the interval is over. Safe to cancel."""
        ...
