"""The record of what was written to devices: no record, no write."""

from collections.abc import Mapping
from typing import Protocol

import structlog

log = structlog.get_logger()


class AuditFailed(Exception):
    """A record could not be kept; the message says why."""


class Audit(Protocol):
    """Where each write is recorded, before it is sent and when its result is known."""

    async def record(self, entry: Mapping[str, object]) -> None:
        """Keep an entry for good before it returns. Raises `AuditFailed`: then nothing may be written.

        Keys: ``stage`` (``intent`` before the write, ``result`` after it), ``command_id``, ``command``,
        ``device_id``, ``device``, ``tag``, ``old`` and ``old_raw`` (None where nothing good was read), ``new``; a
        result has ``status``, ``code`` (None on success), ``read_back`` and ``read_back_raw`` too.
        """
        ...


class LoggedAudit:
    """Says each write in the process's log."""

    async def record(self, entry: Mapping[str, object]) -> None:
        log.info("a write", **entry)
