"""The writing side of the history: collects scans, and once a minute has them packed, written, sealed and aged."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import TypeVar

import structlog

from collector.clock import Clock
from collector.config.plan import Plan
from collector.history.archive import Archive, Keeping, Packed, Recorded
from collector.history.folded import FoldedScan
from collector.history.vault import Vault
from collector.polling.scan import Scan
from collector.status.board import Board
from collector.storage.errors import StorageFailed
from collector.storage.thread import StorageThread
from protocols.quality import Quality

ResultT = TypeVar("ResultT")

VALUES_A_BATCH = 500_000
"""So many are written before the minute is over, so that memory stays small."""
ROWS_A_BATCH = 10
"""But so many of each tag at least: they are packed as columns, and with one in each that costs five times as much."""
VALUES_MOST = 4_000_000
_MINUTE_MS = 60_000
_WAITING_MOST = 30
_HOUR_MS = 3_600_000
_DEGRADED, _SHORT = "history_degraded", "history_short"

log = structlog.get_logger()


class Tail:
    """Scans that were recorded in one go; `written` is set by the storage thread, in which it is read as well."""

    __slots__ = ("scans", "values", "written")

    def __init__(self) -> None:
        self.scans: list[FoldedScan] = []
        self.values = 0
        self.written = False


class Recorder:
    """Belongs to the event loop. While the disk refuses, packed minutes wait in memory, the last half hour of them."""

    def __init__(self, vault: Vault, thread: StorageThread, *, raw_hours: int, clock: Clock, board: Board) -> None:
        self.keeping = Keeping(raw_hours=raw_hours)
        self._vault = vault
        self._thread = thread
        self._clock = clock
        self._board = board
        self._minute = Tail()
        self._flying = Tail()
        self._bad: dict[str, dict[int, Quality]] = {}
        self._packed_at = clock.monotonic()
        self._waiting: deque[Recorded] = deque(maxlen=_WAITING_MOST)
        self._wake = asyncio.Event()
        self._flushing = asyncio.Lock()
        self._stopping = False
        self._batch = VALUES_A_BATCH
        # Until the document says for how long, nothing is too old.
        self._followed = False

    def record(self, scan: Scan) -> None:
        """Take what a poll cycle gave."""
        minute, device_id = self._minute, scan.device.id
        folded = FoldedScan.of(scan, self._bad.get(device_id))
        self._bad[device_id] = folded.bad
        minute.scans.append(folded)
        minute.values += len(scan.names)
        if minute.values >= self._batch:
            self._full()

    def follow(self, plan: Plan) -> None:
        """Keep windows of the size, and for the days, that the document says."""
        self._followed = True
        self._bad.clear()
        self._batch = max(VALUES_A_BATCH, ROWS_A_BATCH * plan.tag_count)
        self.keeping = Keeping(plan.aggregation_interval_s, plan.local_retention_days, self.keeping.raw_hours)

    def tails(self) -> tuple[Tail, Tail]:
        """What may not be written yet when the storage thread comes to look; the second one grows on."""
        return self._flying, self._minute

    async def run(self) -> None:
        """Write at the end of each minute of the wall clock, so that a minute is one window, until `stop`."""
        while not self._stopping:
            with suppress(TimeoutError):
                async with asyncio.timeout((_MINUTE_MS - self._clock.wall_ms() % _MINUTE_MS) / 1000):
                    await self._wake.wait()
            self._wake.clear()
            await self.flush()

    def stop(self) -> None:
        """Have `run` write what is left and finish."""
        self._stopping = True
        self._wake.set()

    async def flush(self) -> None:
        """Write what was recorded, seal and forget what is due. What the disk refuses is tried again next time."""
        async with self._flushing:
            failure = await self._open()
            # Packed all the same: rows take up less memory than scans.
            await self._pack()
            try:
                if failure is None:
                    await self._write()
                    await self._keep_up()
            except StorageFailed as refused:
                failure = refused
            self._show(failure)

    def _full(self) -> None:
        if self._minute.values >= VALUES_MOST:
            # The disk has not answered for as long as this took to gather.
            self._minute = Tail()
            self._show(StorageFailed("the disk does not answer; values of this time are missing in the history"))
        self._wake.set()

    async def _open(self) -> StorageFailed | None:
        try:
            aside = await self._thread.submit(self._vault.open)
        except StorageFailed as failure:
            return failure
        if aside is not None:
            log.error("the history was damaged: it was set aside and a new one begun", file=str(aside))
        return None

    async def _pack(self) -> None:
        """From scans to rows, a device at a time: others get their turn in between."""
        flying, self._flying, self._minute = self._minute, self._minute, Tail()
        packed_at, self._packed_at = self._packed_at, self._clock.monotonic()
        devices: dict[str, list[FoldedScan]] = {}
        for scan in flying.scans:
            devices.setdefault(scan.device.id, []).append(scan)
        packed = [await self._thread.submit(partial(self._packed, own)) for own in devices.values()]
        if rows := [each for each in packed if each is not None]:
            stamps = [scan.stamp_ms for scan in flying.scans]
            lasted_ms = round((self._packed_at - packed_at) * 1000)
            self._waiting.append(Recorded(min(stamps), max(stamps), lasted_ms, rows))

    def _packed(self, own: Sequence[FoldedScan]) -> Packed | None:
        return self._vault.pack([scan.unfold() for scan in own], self.keeping)

    async def _write(self) -> None:
        flying = self._flying

        def write(recorded: Recorded, archive: Archive) -> None:
            archive.add(recorded)
            flying.written = recorded is last

        last = self._waiting[-1] if self._waiting else None
        while self._waiting:
            await self._change(partial(write, self._waiting[0]))
            self._waiting.popleft()

    async def _keep_up(self) -> None:
        now_ms, keeping = self._clock.wall_ms(), self.keeping
        # First of all room, for what is sealed takes some.
        while self._followed and await self._change(lambda archive: archive.forget_step(keeping)):
            pass
        while await self._change(lambda archive: archive.seal_step(now_ms)):
            pass
        kept_ms, recorded_ms = await self._change(Archive.raw_kept_ms)
        wanted_ms = min(keeping.raw_hours * _HOUR_MS, recorded_ms)
        if keeping.raw_hours and kept_ms < wanted_ms - _HOUR_MS:
            limit_mb = self._vault.limit_bytes >> 20
            self._board.raise_condition(
                _SHORT,
                f"{limit_mb} MB hold {kept_ms / _HOUR_MS:.0f} h of raw values; HISTORY_RAW_HOURS asks for "
                f"{keeping.raw_hours}: raise HISTORY_MAX_MB, or free the disk of which it takes a quarter",
            )
        else:
            self._board.clear_condition(_SHORT)

    def _change(self, job: Callable[[Archive], ResultT]) -> asyncio.Future[ResultT]:
        return self._thread.submit(lambda: self._vault.change(job))

    def _show(self, failure: StorageFailed | None) -> None:
        """Said once when it is down, and once when it is back."""
        if failure is not None:
            if _DEGRADED not in self._board.conditions:
                log.error("the history can not be written", reason=str(failure))
            self._board.raise_condition(_DEGRADED, str(failure))
        elif _DEGRADED in self._board.conditions:
            self._board.clear_condition(_DEGRADED)
            log.info("the history is written again")
