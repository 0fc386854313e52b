"""The document from the Fleet server."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from fleet_client.client import FleetClient
from fleet_client.fetched import Fetched, NotModified


class ApiSource(FleetClient):
    """The Fleet server, which says nothing unless it is asked.

    `renewed_token` is asked before each request, in a thread, for the token as its file has it then; None: as before.
    """

    name = "fleet"
    renewed_token: Callable[[], str | None] = staticmethod(lambda: None)

    async def fetch(self, etag: str | None) -> Fetched | NotModified:
        """See `FleetClient.fetch`."""
        token = await asyncio.to_thread(self.renewed_token)
        if token is not None:
            with suppress(ValueError):  # no token at all: the server says whether the old one will do
                self.renew_token(token.strip())
        return await super().fetch(etag)

    async def news(self) -> None:
        """Never returns."""
        await asyncio.Event().wait()
