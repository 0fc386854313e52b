"""The record of what was commanded, and of each write with what was there before: no record, no write."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from collector.clock import Clock, iso_utc
from collector.storage.audit_file import AuditFile
from collector.storage.errors import StorageFailed


class AuditFailed(Exception):
    """A record could not be kept; the message says why."""


class Audit(Protocol):
    """Where each write is recorded, before it is sent and when its result is known."""

    async def record(self, entry: Mapping[str, object]) -> None:
        """Keep an entry for good before it returns. Raises `AuditFailed`: then nothing may be written.

        Keys: ``stage`` (``intent`` before a write, ``result`` after it; ``command`` once any was answered, with
        ``status`` and ``code``), ``command_id``, ``command``,
        ``device_id``, ``device``, ``tag``, ``old`` and ``old_raw`` (None where nothing good was read), ``new``; a
        result has ``status``, ``code`` (None on success), ``read_back`` and ``read_back_raw`` too.
        """
        ...


class FileAudit:
    """Keeps the entries in files, each with the time it was made. The disk's work is done in a thread."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._file = AuditFile(folder)
        self._clock = clock
        self._turn = asyncio.Lock()

    async def record(self, entry: Mapping[str, object]) -> None:
        timed = {"time": iso_utc(self._clock.wall_ms()), **entry}
        async with self._turn:
            try:
                await asyncio.to_thread(self._file.append, timed)
            except StorageFailed as error:
                raise AuditFailed(str(error)) from error
