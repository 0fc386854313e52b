"""When the outbox goes to disk, and what happens while the disk refuses."""

import asyncio
import math
from contextlib import suppress

import structlog

from collector.clock import Clock
from collector.delivery.disk import Disk, Tell
from collector.delivery.gaps import gap_fields
from collector.delivery.line import Line
from collector.delivery.queues import Queues
from collector.status.board import Conditions
from collector.storage.errors import DamagedFile, DiskFull, ReadOnly, StorageFailed
from collector.storage.records import Found, Tally

RETRY_S = 5.0
RETRY_READ_ONLY_S = 60.0
_ATTEMPTS = 3
_DELETE_WITHIN_S = 0.2
_DELETE_AT = 500
_CONDITIONS = "storage_degraded", "storage_readonly"

log = structlog.get_logger()


class Keeper:
    """Has group commits, batched deletes and repairs done in time.

    A write that fails is repeated, on the file opened anew or with room made for it, `_ATTEMPTS` times in all. Then
    `trouble` says why, everything stays in memory, and a new attempt is made every few seconds.
    """

    def __init__(self, queues: Queues, *, commit_ms: int, clock: Clock, board: Conditions, tell: Tell) -> None:
        self.trouble: StorageFailed | None = None
        self.disk: Disk
        self._queues = queues
        self._commit_s = commit_ms / 1000
        self._clock = clock
        self._board = board
        self._tell = tell
        self._turn = asyncio.Lock()
        self._alarm = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._wakes_at = -math.inf
        self._retry_at = math.inf
        self._broken: StorageFailed | None = None
        self._bug: BaseException | None = None
        self._stopping = False

    async def open(self) -> Found:
        """Open the file, begin an epoch, and take over what the last run left: nothing, where the disk refuses."""
        try:
            return await self.disk.open()
        except StorageFailed as trouble:
            self._broken = trouble
            self._degrade(trouble)
            await self.disk.begin_without()
            return Found()

    async def run(self) -> None:
        """Work until `stop`, then write all that is left and note the clean stop."""
        while not self._stopping:
            self._set_timer()
            await self._alarm.wait()
            self._alarm.clear()
            self._cancel_timer(-math.inf)
            if not self._stopping and self._due_in() == 0:
                await self.work()
        await self.work(everything=True)
        if self.trouble is None:
            with suppress(StorageFailed):
                await self.disk.end()

    def stop(self) -> None:
        """Have `run` finish."""
        self._stopping = True
        self._alarm.set()

    def notice_unsaved(self, since: float) -> None:
        """A message was recorded. On a good link it is acknowledged long before its time, and the timer that was set
        for it serves those that follow: setting one anew for each message would cost more than it rings."""
        self._notice(since + self._commit_s)

    def notice_removed(self, line: Line) -> None:
        """A message on disk was acknowledged."""
        self._notice(line.removed_since + _DELETE_WITHIN_S if len(line.removed) < _DELETE_AT else -math.inf)

    def notice_refused(self) -> None:
        """A message was refused."""
        self._notice(-math.inf)

    def notice_trouble(self, trouble: BaseException) -> None:
        """Reading ahead failed."""
        if isinstance(trouble, StorageFailed):
            self._broken = trouble
        else:
            self._bug = trouble
        self._alarm.set()

    async def work(self, *, everything: bool = False) -> None:
        """Do what is due; with `everything`, write whatever is unacknowledged, however young."""
        async with self._turn:
            if self._bug is not None:
                raise self._bug
            before = math.inf if everything else self._old_enough()
            if isinstance(self._broken, DiskFull) and self.disk.opened_once:
                self._broken = None  # there may be room by now: nothing is given up before that was tried
            for attempts_left in reversed(range(_ATTEMPTS)):
                try:
                    await self._work_once(before)
                except StorageFailed as trouble:
                    self._broken = trouble
                    if not attempts_left or self.trouble is not None or isinstance(trouble, ReadOnly):
                        self._degrade(trouble)
                        break
                else:
                    self._healed()
                    break
            self._name_losses()

    async def clear(self) -> Tally:
        """Give up all data that waits; returns how much that was. Raises `StorageFailed`."""
        await self.work(everything=True)
        async with self._turn:
            if self.trouble is not None:
                raise self.trouble
            return await self.disk.clear()

    async def _work_once(self, before: float) -> None:
        broken, self._broken = self._broken, None
        if isinstance(broken, DiskFull) and self.disk.opened_once:
            await self.disk.purge("storage")
        elif broken is not None:
            await self.disk.open(distrust=str(broken) if isinstance(broken, DamagedFile) else "")
        await self.disk.write(before)
        await self.disk.bury_refused()
        if self.disk.short_of_room:
            await self.disk.make_ready()

    # --- when

    def _set_timer(self) -> None:
        """For what is due next. It wakes the task only if that is still due then."""
        delay = self._due_in()
        if delay is None:
            self._cancel_timer(math.inf)
        else:
            self._ring_in(delay)

    def _ring_in(self, delay: float) -> None:
        self._cancel_timer(self._clock.monotonic() + delay)
        if delay == 0:
            self._alarm.set()
        else:
            # Rounded up to the timer's own milliseconds: one that rings too early would ring again at once.
            rounded_s = math.ceil(delay * 1000) / 1000
            self._timer = asyncio.get_running_loop().call_later(rounded_s, self._set_timer)

    def _cancel_timer(self, wakes_at: float) -> None:
        self._wakes_at = wakes_at
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _due_in(self) -> float | None:
        now = self._clock.monotonic()
        if self.trouble is not None and self._bug is None:
            return max(0.0, self._retry_at - now)
        if self._broken or self._queues.refused or self._queues.losses or self._bug:
            return 0.0
        moments = [moment for line in self._queues.lines for moment in self._moments(line)]
        if self.disk.short_of_room:
            moments.append(self._retry_at)
        return max(0.0, min(moments) - now) if moments else None

    def _moments(self, line: Line) -> list[float]:
        moments = []
        if (since := line.unsaved_since) is not None:
            moments.append(since + self._commit_s)
        if line.removed:
            moments.append(line.removed_since + (_DELETE_WITHIN_S if len(line.removed) < _DELETE_AT else 0))
        return moments

    def _notice(self, moment: float) -> None:
        if moment < self._wakes_at and self.trouble is None:
            self._ring_in(max(0.0, moment - self._clock.monotonic()))

    def _old_enough(self) -> float:
        if self._queues.backlog.in_outage:
            return math.inf
        # On a good link a PUBACK is on its way for the younger half: writing them would wear the flash for nothing.
        return self._clock.monotonic() - self._commit_s / 2

    # --- trouble

    def _degrade(self, trouble: StorageFailed) -> None:
        if self.trouble is None:
            log.error("the disk refuses, keeping messages in memory", reason=str(trouble))
        self.trouble = trouble
        read_only = isinstance(trouble, ReadOnly)
        self._retry_in(RETRY_READ_ONLY_S if read_only else RETRY_S)
        self._board.clear_condition(_CONDITIONS[not read_only])
        given_up = self._queues.letters_dropped
        lost = f"; {given_up} events and responses had to be given up" if given_up else ""
        self._board.raise_condition(_CONDITIONS[read_only], f"{trouble}; messages are in memory only{lost}")

    def _healed(self) -> None:
        if self.trouble is not None:
            log.info("the disk works again", letters_given_up=self._queues.letters_dropped)
            self._queues.letters_dropped = 0
        self.trouble = None
        self._board.clear_condition("storage_readonly")
        if self.disk.short_of_room:
            self._retry_in(RETRY_S)
            self._board.raise_condition("storage_degraded", "the disk is full: the oldest data makes room for new data")
        else:
            self._board.clear_condition("storage_degraded")

    def _retry_in(self, seconds: float) -> None:
        self._retry_at = self._clock.monotonic() + seconds

    def _name_losses(self) -> None:
        """A range grows as long as its letter could go nowhere: so letters do not fill the memory."""
        if self.trouble is not None and self._queues.backlog.in_outage:
            return
        for gap in self._queues.losses.take():
            log.warning("messages dropped, the disk does not take them", count=gap.count)
            self._tell("gap", gap_fields(gap, "storage"))
