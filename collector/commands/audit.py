"""The record of what was commanded, and of each write with what was there before: no record, no write."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol, Self

from collector.clock import Clock, iso_utc
from collector.commands.group_commit import GroupCommit
from collector.commands.outcome import Outcome
from collector.storage.audit_file import AuditFile
from collector.storage.errors import StorageFailed
from collector.storage.thread import StorageThread
from fleet_client.commands import Command

Entry = Mapping[str, object]

AUDIT_FOLDER = "audit"
"""Below ``DATA_DIR``."""

PATIENCE_S = 5.0
_CLOSE_S = 1.0
_MOST_SHOWN = 256


class AuditFailed(Exception):
    """A record could not be kept; the message says why."""


class Audit(Protocol):
    """Where each write is recorded, before it is sent and when its result is known."""

    async def record(self, entry: Entry) -> None:
        """Keep an entry for good before it returns. Raises `AuditFailed`: then nothing may be written.

        Keys: ``stage`` (``intent`` before a write, ``result`` after it; ``command`` once any was answered, with
        ``status`` and ``code``), ``command_id``, ``command``,
        ``device_id``, ``device``, ``tag``, ``old`` and ``old_raw`` (None where nothing good was read), ``new``; a
        result has ``status``, ``code`` (None on success), ``read_back`` and ``read_back_raw`` too.
        """
        ...


class FileAudit:
    """Keeps the entries in files, each with the time it was made. What comes at once shares an fsync, in a thread."""

    def __init__(self, folder: Path, clock: Clock, thread: StorageThread) -> None:
        self._file = AuditFile(folder)
        self._clock = clock
        self._commit = GroupCommit[Entry, None](thread, self._append)

    @classmethod
    @asynccontextmanager
    async def open(cls, folder: Path, clock: Clock) -> AsyncIterator[Self]:
        """An audit log in a folder, which is made at the first entry."""
        thread = StorageThread("audit")
        try:
            yield cls(folder, clock, thread)
        finally:
            await thread.stop(_CLOSE_S)

    async def record(self, entry: Entry) -> None:
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self._commit({"time": iso_utc(self._clock.wall_ms()), **entry})
        except StorageFailed as error:
            raise AuditFailed(str(error)) from error
        except TimeoutError:  # a device waits meanwhile, and is not polled
            raise AuditFailed(f"the disk has not answered for {PATIENCE_S:g} s") from None

    def _append(self, entries: Sequence[Entry]) -> Sequence[None]:
        self._file.append(entries)
        return [None] * len(entries)


def answered(command: Command, outcome: Outcome) -> Entry:
    """The entry of a command that was answered. It may be a refused one with anything in it: long things are cut."""
    params = command.params
    return {
        "stage": "command",
        "command_id": command.command_id,
        "command": command.command,
        "device_id": _cut(params.get("device_id")),
        **{key: _cut(params[name]) for key, name in (("tag", "tag"), ("new", "value")) if name in params},
        "status": outcome.status,
        "code": outcome.code,
    }


def _cut(value: object) -> object:
    match value:
        case None | bool() | float():
            return value
        case str():
            return value[:_MOST_SHOWN]
        case int() if abs(value) < 2**64:
            return value
        case _:
            return str(value)[:_MOST_SHOWN]
