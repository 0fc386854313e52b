"""What the alarms keep over a restart. Written from a thread, as it changes; tried again while the disk refuses."""

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

import structlog

from collector.alarms.alarm import Alarm, Level, State
from collector.config.plan import Thresholds
from collector.status.board import Board
from collector.storage.alarms_store import AlarmsStore
from collector.storage.aside import set_aside
from collector.storage.errors import DamagedFile, StorageFailed
from collector.storage.thread import StorageThread

ResultT = TypeVar("ResultT")
Place = tuple[str, str]

FILE = "alarms.db"
_DEGRADED = "alarms_degraded"
_CLOSE_S = 2.0

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Kept:
    """What was found at the start."""

    last_id: int = 0
    active: list[Alarm] = field(default_factory=list)
    thresholds: dict[Place, Thresholds] = field(default_factory=dict)


class Records:
    """Belongs to the event loop; its file belongs to its thread. Opens on any file, and without a disk."""

    def __init__(self, folder: Path, board: Board) -> None:
        self._path = folder / FILE
        self._board = board
        self._thread = StorageThread("alarms")
        self._store: AlarmsStore | None = None
        self._active: dict[int, Alarm] = {}
        self._own: dict[Place, Thresholds] = {}
        self._alarms: dict[int, Alarm] = {}
        self._thresholds: dict[Place, Thresholds | None] = {}

    @property
    def unwritten(self) -> bool:
        """Whether something waits to be written."""
        return bool(self._alarms or self._thresholds)

    async def open(self) -> Kept:
        """What was kept; nothing, where the disk refuses or the file is damaged, which is then set aside."""
        try:
            kept = await self._do(_read)
        except DamagedFile as damage:
            await self._set_aside(damage)
            return Kept()
        except StorageFailed as failure:
            self._show(failure)
            return Kept()
        self._active, self._own = {alarm.id: alarm for alarm in kept.active}, dict(kept.thresholds)
        return kept

    async def close(self) -> None:
        """Write what is left."""
        if self.unwritten:
            with suppress(TimeoutError):
                async with asyncio.timeout(_CLOSE_S):
                    await self.write()
        self._thread.submit(self._close)
        await self._thread.stop(timeout_s=1.0)

    def note(self, alarm: Alarm) -> None:
        """An alarm changed."""
        self._alarms[alarm.id] = alarm
        self._active.pop(alarm.id, None)
        if alarm.active:
            self._active[alarm.id] = alarm

    def note_thresholds(self, place: Place, thresholds: Thresholds | None) -> None:
        """A tag's thresholds were set, or removed."""
        self._thresholds[place] = thresholds
        self._own.pop(place, None)
        if thresholds is not None:
            self._own[place] = thresholds

    async def write(self) -> None:
        """Write what was noted; what the disk refuses stays noted."""
        alarms, thresholds = self._alarms, self._thresholds
        self._alarms, self._thresholds = {}, {}
        try:
            await self._do(partial(_write, alarms=alarms, thresholds=thresholds))
        except StorageFailed as failure:
            self._alarms, self._thresholds = alarms | self._alarms, thresholds | self._thresholds
            if isinstance(failure, DamagedFile):
                await self._set_aside(failure)
            self._show(failure)
        else:
            self._show(None)

    async def between(self, start_ms: int, end_ms: int, limit: int) -> list[Alarm]:
        """The alarms that began from `start_ms` to before `end_ms`, newest first. Raises `StorageFailed`."""
        if self.unwritten:
            await self.write()
        return await self._do(lambda store: list(map(_alarm, store.between(start_ms, end_ms, limit))))

    def _do(self, job: Callable[[AlarmsStore], ResultT]) -> asyncio.Future[ResultT]:
        def with_store() -> ResultT:
            self._store = self._store or AlarmsStore(self._path)
            try:
                return job(self._store)
            except StorageFailed:
                self._close()
                raise

        return self._thread.submit(with_store)

    def _close(self) -> None:
        store, self._store = self._store, None
        if store is not None:
            with suppress(StorageFailed):
                store.close()

    async def _set_aside(self, damage: DamagedFile) -> None:
        """The next write begins a new file, with all that holds at present."""
        try:
            aside = await self._thread.submit(partial(set_aside, self._path))
        except StorageFailed as failure:
            self._show(failure)
            return
        log.error("the alarms' file was damaged: it was set aside", reason=str(damage), file=str(aside))
        self._alarms = self._active | self._alarms
        self._thresholds = {**self._own, **self._thresholds}

    def _show(self, failure: StorageFailed | None) -> None:
        """Said once when it is down, and once when it is back."""
        if failure is not None:
            if _DEGRADED not in self._board.conditions:
                log.error("alarms can not be written", reason=str(failure))
            self._board.raise_condition(_DEGRADED, str(failure))
        elif _DEGRADED in self._board.conditions:
            self._board.clear_condition(_DEGRADED)
            log.info("alarms are written again")


def _read(store: AlarmsStore) -> Kept:
    thresholds = {(device, tag): Thresholds(**json.loads(body)) for device, tag, body in store.thresholds()}
    return Kept(store.last_id(), list(map(_alarm, store.active())), thresholds)


def _write(store: AlarmsStore, alarms: dict[int, Alarm], thresholds: dict[Place, Thresholds | None]) -> None:
    store.write(
        [(alarm.id, alarm.since_ms, alarm.active, json.dumps(asdict(alarm))) for alarm in alarms.values()],
        [(*place, None if limits is None else json.dumps(asdict(limits))) for place, limits in thresholds.items()],
    )


def _alarm(body: str) -> Alarm:
    """Raises `DamagedFile`."""
    try:
        fields = json.loads(body)
        return Alarm(**fields | {"level": Level(fields["level"]), "state": State(fields["state"])})
    except (TypeError, ValueError, KeyError) as error:
        raise DamagedFile(f"an alarm on disk is none: {error}") from error
