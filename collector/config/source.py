"""Where the document comes from: the Fleet server, or a file beside the collector."""

import asyncio
import hashlib
from pathlib import Path
from typing import Protocol

from fleet_client.client import Fetched, NotModified
from fleet_client.errors import FleetUnreachable


class ConfigSource(Protocol):
    """Gives the document on request. `edge_id` is the spelling of the edge's id that proved right so far."""

    edge_id: str

    async def fetch(self, etag: str | None) -> Fetched | NotModified:
        """The document, unless `etag` still names it. Raises `FleetError`."""
        ...


class FileSource:
    """A document in a JSON file, read anew at every fetch; its checksum is its ETag."""

    def __init__(self, file: Path, edge_id: str) -> None:
        self.edge_id = edge_id
        self._file = file

    async def fetch(self, etag: str | None) -> Fetched | NotModified:
        """The file's content. Raises `FleetUnreachable` when it can not be read."""
        try:
            body = await asyncio.to_thread(self._file.read_bytes)
        except OSError as error:
            raise FleetUnreachable(f"EDGE_CONFIG_FILE {self._file}: {error.strerror or error}") from None
        digest = hashlib.sha256(body).hexdigest()
        own_tag = f'"{digest}"'
        if etag == own_tag:
            return NotModified(None)
        return Fetched(body, digest, own_tag, self.edge_id, str(self._file), None)
