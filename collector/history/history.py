"""What every tag was, kept on the gateway itself: recorded as it comes, written once a minute, read at any resolution.

event loop                                   storage thread
record(scan) → the scans of this minute ───▶ pack each device · write all in one go · seal hours · forget
series, aggregate, depth                ◀─── read, with the scans that are not written yet
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import tzinfo
from functools import partial
from pathlib import Path
from typing import Literal, Self, TypeVar

import structlog

from collector.clock import Clock
from collector.config.plan import Plan
from collector.history.calendar import DAY_S, HOUR_S, Calendar
from collector.history.folded import FoldedScan
from collector.history.reading import Reader, tail_trace
from collector.history.recorder import Recorder, Tail
from collector.history.series import RAW, Depth, Question, Series, Total, finest_resolution_s, raw_series, raw_total
from collector.history.sheets import Trace
from collector.history.summaries import NOTHING
from collector.history.vault import Vault
from collector.polling.scan import Scan
from collector.status.board import Board
from collector.storage.thread import StorageThread

ResultT = TypeVar("ResultT")
Per = Literal["hour", "day"]

MAX_POINTS = 2_000
_PER_S = {"hour": HOUR_S, "day": DAY_S}
_BATCHES_A_READ = _TAGS_A_READ = 64
_SHORT_WINDOWS = 10
_OPEN_S, _CLOSE_S = 3.0, 5.0

log = structlog.get_logger()


class History:
    """Belongs to the event loop; made by `open`. Reading raises `StorageFailed` while the disk refuses."""

    def __init__(self, vault: Vault, thread: StorageThread, recorder: Recorder, clock: Clock) -> None:
        self._vault = vault
        self._thread = thread
        self._recorder = recorder
        self._clock = clock
        self._began_at = clock.monotonic()

    @classmethod
    @asynccontextmanager
    async def open(
        cls, folder: Path, *, limit_bytes: int, raw_hours: int, zone: tzinfo | None, clock: Clock, board: Board
    ) -> AsyncIterator[Self]:
        """The history in a folder of its own. Opens on any file, and on a disk that can not be written.

        Days and hours are those of `zone` (None: the system's); `raw_hours` 0 keeps no raw values. Leaving the
        context writes what is left.
        """
        thread = StorageThread("history")
        vault = Vault(folder, limit_bytes, Calendar(zone), clock.monotonic)
        recorder = Recorder(vault, thread, raw_hours=raw_hours, clock=clock, board=board)
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(_OPEN_S):
                    await recorder.flush()
            async with asyncio.TaskGroup() as tasks:
                recording = tasks.create_task(recorder.run(), name="history")
                try:
                    yield cls(vault, thread, recorder, clock)
                finally:
                    recorder.stop()
                    await asyncio.wait([recording], timeout=_CLOSE_S)
                    recording.cancel()
        finally:
            thread.submit(vault.close)
            if not await thread.stop(timeout_s=1.0):
                log.error("the disk hangs: the last minute of the history may be missing", folder=str(folder))

    def record(self, scan: Scan) -> None:
        """Take what a poll cycle gave."""
        self._recorder.record(scan)

    def follow(self, plan: Plan) -> None:
        """Keep windows of the size, and for the days, that the document says."""
        self._recorder.follow(plan)

    async def flush(self) -> None:
        """Write now what was recorded, without waiting for the end of the minute."""
        await self._recorder.flush()

    async def series(
        self,
        device_id: str,
        tag: str,
        start_ms: int,
        end_ms: int,
        *,
        max_points: int = MAX_POINTS,
        resolution_s: int | None = None,
    ) -> Series:
        """The tag from `start_ms` to before `end_ms`; without rows where nothing is known of it.

        Without a `resolution_s` (0 = raw) it is the finest that gives at most `max_points` of what is kept. It is
        coarser than asked for where finer figures do not go back so far, or larger windows are kept. Windows are
        whole ones that begin within the span. Raises `StorageFailed`.
        """
        asked = Question(device_id, tag, start_ms, end_ms)
        if end_ms <= start_ms:
            return Series(device_id, tag, resolution_s or RAW)
        if not resolution_s:
            raw = await self._raw(asked, max_points if resolution_s is None else None)
            if raw is not None:
                return raw
            tails = self._tails()
            kept_ms = await self._ask(lambda reader: reader.kept_ms(asked, _unwritten(tails, [asked])))
            resolution_s = finest_resolution_s(kept_ms, self._recorder.keeping.window_s, max_points)
        (found,) = await self._windows([asked], resolution_s)
        return found

    async def aggregate(self, device_id: str, tag: str, start_ms: int, end_ms: int, *, per: Per = "hour") -> Series:
        """The site's hours or days that begin from `start_ms` to before `end_ms`. Raises `StorageFailed`."""
        (found,) = await self.aggregates(device_id, [tag], start_ms, end_ms, per=per)
        return found

    async def aggregates(
        self, device_id: str, tags: Sequence[str], start_ms: int, end_ms: int, *, per: Per = "hour"
    ) -> list[Series]:
        """The same of several tags of a device, in their order. Raises `StorageFailed`."""
        if end_ms <= start_ms:
            return [Series(device_id, tag, _PER_S[per]) for tag in tags]
        return await self._windows([Question(device_id, tag, start_ms, end_ms) for tag in tags], _PER_S[per])

    async def totals(self, device_id: str, tags: Sequence[str], start_ms: int, end_ms: int) -> list[Total]:
        """A line a tag of a device over a span, in their order: of its single values where it is shorter than ten
        windows, else of the windows that begin within it. Raises `StorageFailed`."""
        if end_ms <= start_ms:
            return [Total(NOTHING, 0.0) for _ in tags]
        asked = [Question(device_id, tag, start_ms, end_ms) for tag in tags]
        tails, window_s, now_ms = self._tails(), self._recorder.keeping.window_s, self._clock.wall_ms()
        if end_ms - start_ms < _SHORT_WINDOWS * window_s * 1000:
            raw = [await self._raw(question, MAX_POINTS) for question in asked]
            if None not in raw:
                return [raw_total(series) for series in raw if series is not None]
        return await self._in_parts(
            asked, lambda reader, part: reader.totals(part, window_s, _unwritten(tails, part), now_ms)
        )

    async def depth(self) -> Depth:
        """How far back the history goes, and what it takes. Raises `StorageFailed`."""
        limit_bytes, ran_s = self._vault.limit_bytes, self._clock.monotonic() - self._began_at
        return await self._ask(lambda reader: reader.depth(limit_bytes, ran_s))

    async def _raw(self, asked: Question, most: int | None) -> Series | None:
        """The raw values; None where they do not go back so far, or would be more than `most`."""
        if not self._recorder.keeping.raw_hours:
            return None
        tails, window_s = self._tails(), self._recorder.keeping.window_s

        def begin(reader: Reader) -> tuple[Sequence[int], list[Scan]] | None:
            batches, tail = reader.batches(asked), _unwritten(tails, [asked])
            fits = most is None or reader.raw_fits(asked, batches, most, window_s, tail)
            return (batches, tail) if fits else None

        if (begun := await self._ask(begin)) is None:
            return None
        batches, tail = begun
        traces: list[Trace] = []
        # In parts, so that others get their turn of the thread.
        for first in range(0, len(batches), _BATCHES_A_READ):
            part = batches[first : first + _BATCHES_A_READ]
            traces += await self._ask(partial(Reader.traces, asked=asked, batches=part))
        series = raw_series(asked, [*traces, tail_trace(asked, tail)])
        return series if most is None or len(series.start_ms) <= most else None

    async def _windows(self, asked: Sequence[Question], resolution_s: int) -> list[Series]:
        tails, window_s, now_ms = self._tails(), self._recorder.keeping.window_s, self._clock.wall_ms()
        return await self._in_parts(
            asked, lambda reader, part: reader.windows(part, resolution_s, window_s, _unwritten(tails, part), now_ms)
        )

    async def _in_parts(
        self, asked: Sequence[Question], read: Callable[[Reader, Sequence[Question]], list[ResultT]]
    ) -> list[ResultT]:
        """So few tags at a time that others get their turn of the thread."""
        found: list[ResultT] = []
        for first in range(0, len(asked), _TAGS_A_READ):
            part = asked[first : first + _TAGS_A_READ]
            found += await self._ask(partial(lambda part, reader: read(reader, part), part))
        return found

    def _tails(self) -> list[tuple[Tail, list[FoldedScan]]]:
        return [(tail, list(tail.scans)) for tail in self._recorder.tails()]

    def _ask(self, job: Callable[[Reader], ResultT]) -> asyncio.Future[ResultT]:
        return self._thread.submit(lambda: self._vault.ask(job))


def _unwritten(tails: Sequence[tuple[Tail, list[FoldedScan]]], asked: Sequence[Question]) -> list[Scan]:
    """Of the devices that are asked for. Called in the storage thread, so that nothing is seen twice."""
    devices = {question.device_id for question in asked}
    unwritten = (scan for tail, scans in tails if not tail.written for scan in scans)
    return [scan.unfold() for scan in unwritten if scan.device.id in devices]
