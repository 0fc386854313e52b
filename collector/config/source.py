"""Where the document comes from."""

import asyncio
from typing import Protocol

from fleet_client.client import Fetched, FleetClient, NotModified


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


class ApiSource(FleetClient):
    """The Fleet server, which says nothing unless it is asked."""

    name = "fleet"

    async def news(self) -> None:
        """Never returns."""
        await asyncio.Event().wait()
