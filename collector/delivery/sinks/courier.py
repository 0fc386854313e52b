"""Carries what one outbox holds to one destination."""

import asyncio
import math
from contextlib import suppress

import structlog

from collector.clock import Clock
from collector.delivery.backoff import Backoff
from collector.delivery.message import Entry
from collector.delivery.outbox import Outbox
from collector.delivery.sinks.destination import Away, Destination, LettersUnwanted
from collector.status.board import Conditions, SinkState

MOST_MESSAGES = 200
MOST_BYTES = 1 << 20
MOST_LETTERS = 50
"""Of a batch: data must find a place in it, however many events wait."""
LETTERS_REST_S = 600.0
DOWN, EVENTS_REFUSED = "down", "events_refused"
"""Conditions, behind the sink's name."""

log = structlog.get_logger()


class Courier:
    """One task (`run`): batch after batch while the destination takes them, else the back-off between attempts.

    Where nothing waits, the first that comes is given `gather_s` for company. Begins once `ready` is set. Whatever a
    destination does costs this way out alone.
    """

    def __init__(
        self,
        name: str,
        outbox: Outbox,
        destination: Destination,
        *,
        state: SinkState,
        conditions: Conditions,
        clock: Clock,
        ready: asyncio.Event,
        longest_wait_s: float,
        gather_s: float,
    ) -> None:
        self._name = name
        self._outbox = outbox
        self._destination = destination
        self._state = state
        self._conditions = conditions
        self._clock = clock
        self._ready = ready
        self._backoff = Backoff(longest_wait_s)
        self._gather_s = gather_s
        self._available = asyncio.Event()
        self._stopping = asyncio.Event()
        self._idle = asyncio.Event()
        self._letters_rest_until = -math.inf

    async def run(self) -> None:
        """Deliver until cancelled."""
        await self._ready.wait()
        self._outbox.on_available = self._available.set
        self._outbox.announce_start()
        while not self._stopping.is_set():
            wait_s = await self._deliver_until_away()
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._stopping.wait()
        self._idle.set()

    async def drain(self, timeout_s: float) -> None:
        """Stop: deliver what is not safe on disk, for at most so long; the rest stays in the outbox."""
        self._stopping.set()
        self._available.set()
        if self._state.up:
            with suppress(TimeoutError):
                async with asyncio.timeout(timeout_s):
                    await self._idle.wait()

    async def _deliver_until_away(self) -> float:
        """Returns how long to wait before the next attempt."""
        try:
            await self._destination.open()
            await self._deliver()
        except Away as away:
            self._went_down(str(away))
            return max(away.leave_alone_s, self._backoff.next_s())
        except (Exception, asyncio.CancelledError) as error:
            # A client library that fails, or cancels, in a way of its own must not end the collection.
            if (task := asyncio.current_task()) and task.cancelling():
                raise
            log.exception("sink failed", sink=self._name)
            self._went_down(f"{type(error).__name__}: {error}")
            return self._backoff.next_s()
        finally:
            self._outbox.outage()
            await self._destination.close()
        return 0.0

    async def _deliver(self) -> None:
        while True:
            self._available.clear()
            if batch := self._batch():
                await self._hand_over(batch)
            elif self._stopping.is_set():
                return
            else:
                await self._available.wait()
                await asyncio.sleep(self._gather_s)

    async def _hand_over(self, batch: list[Entry]) -> None:
        try:
            await self._destination.deliver(batch, self._settle)
            if not batch[0].is_data:
                self._conditions.clear_condition(EVENTS_REFUSED)
        except LettersUnwanted as refusal:
            self._outbox.rewind(data=False)
            self._letters_rest_until = self._clock.monotonic() + LETTERS_REST_S
            asyncio.get_running_loop().call_later(LETTERS_REST_S, self._available.set)
            self._conditions.raise_condition(EVENTS_REFUSED, f"{self._state.where}: {refusal}")
            log.warning("sink takes data, and no events", sink=self._name, reason=str(refusal))
        self._came_up()

    def _batch(self) -> list[Entry]:
        """What is sent together, in flight from now on. At the end only what is not safe on disk."""
        batch: list[Entry] = []
        size = 0
        letters = MOST_LETTERS if self._clock.monotonic() >= self._letters_rest_until else 0
        while len(batch) < MOST_MESSAGES and size < MOST_BYTES:
            if self._stopping.is_set() and self._outbox.rests_on_disk:
                break
            entry = self._outbox.take(letters=len(batch) < letters)
            if entry is None:
                break
            batch.append(entry)
            size += len(entry.payload)
        return batch

    def _settle(self, entry: Entry, refused: str | None) -> None:
        if refused is None:
            self._outbox.acknowledge(entry)
            if entry.is_data:
                self._backoff.reset()
        else:
            self._outbox.refuse(entry, refused)

    def _came_up(self) -> None:
        self._backoff.reset()
        if self._state.up:
            return
        self._state.up, self._state.since_ms, self._state.error = True, self._clock.wall_ms(), None
        self._conditions.clear_condition(DOWN)
        log.info("sink takes messages", sink=self._name, where=self._state.where, _thing=f"{self._name} up")

    def _went_down(self, reason: str) -> None:
        if self._state.up:
            self._state.up, self._state.since_ms = False, self._clock.wall_ms()
        if self._state.error != reason:
            thing = f"{self._name}: {reason}"
            log.warning("sink takes no messages", sink=self._name, where=self._state.where, reason=reason, _thing=thing)
        self._state.error = reason
        self._conditions.raise_condition(DOWN, f"{self._state.where}: {reason}")
