"""What the router keeps of commands, in memory: a journal and an audit log that can be told to fail."""

from collections.abc import Mapping

from collector.commands.audit import AuditFailed
from collector.storage.command_store import KnownCommand, Sighting
from collector.storage.errors import StorageFailed


class MemoryJournal:
    """A `Journal`; with `broken` the disk refuses."""

    def __init__(self) -> None:
        self.begun: dict[str, Sighting] = {}
        self.answers: dict[str, bytes] = {}
        self.cut_off: list[bytes] = []
        self.broken = False

    async def begin(self, sighting: Sighting) -> KnownCommand | None:
        if self.broken:
            raise StorageFailed("no room")
        before = self.begun.setdefault(sighting.id, sighting)
        return None if before is sighting else KnownCommand(before.digest, self.answers.get(sighting.id))

    async def end(self, sighting: Sighting, answer: bytes) -> None:
        if self.broken:
            raise StorageFailed("no room")
        self.begun.setdefault(sighting.id, sighting)
        self.answers[sighting.id] = answer

    async def left_open(self) -> list[bytes]:
        return self.cut_off


class MemoryAudit:
    """An `Audit`; with `broken` the disk refuses."""

    def __init__(self) -> None:
        self.entries: list[Mapping[str, object]] = []
        self.broken = False

    async def record(self, entry: Mapping[str, object]) -> None:
        if self.broken:
            raise AuditFailed("no room")
        self.entries.append(entry)
