"""The document from the Fleet server."""

import asyncio

from fleet_client.client import FleetClient


class ApiSource(FleetClient):
    """The Fleet server, which says nothing unless it is asked."""

    name = "fleet"

    async def news(self) -> None:
        """Never returns."""
        await asyncio.Event().wait()
