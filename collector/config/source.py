"""Where the document comes from."""

from typing import Protocol

from fleet_client.client import Fetched, FleetClient, NotModified


class ConfigSource(Protocol):
    """Gives the document on request. `edge_id` is the spelling of the edge's id that proved right so far."""

    name: str
    edge_id: str

    async def fetch(self, etag: str | None) -> Fetched | NotModified:
        """The document, unless `etag` still names it. Raises `FleetError`."""
        ...


class ApiSource(FleetClient):
    """The Fleet server."""

    name = "fleet"
