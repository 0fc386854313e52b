"""Keeps the plan in step with the Fleet server's document: asks, reads, plans, applies, and only then remembers."""

import asyncio
import random
from collections.abc import Callable
from datetime import datetime

import structlog

from collector.clock import Clock
from collector.config.in_force import InForce
from collector.config.plan import Plan
from collector.config.planner import PlanOptions
from collector.config.quiet_heap import quiet_heap
from collector.config.replanning import Replanner
from collector.config.rollout import Rollout, Tell, config_event
from collector.config.source import ConfigSource
from collector.status.board import Board, ConfigProblem
from fleet_client.copies import DocumentStore, Kept
from fleet_client.errors import FleetError, FleetRefused, NotAConfig
from fleet_client.fetched import Fetched
from fleet_client.topics import other_spelling

log = structlog.get_logger()

ASK_AT_START_S = 10.0
UNCONDITIONAL_EVERY_S = 3600.0
REFUSED_PAUSE_S = 60.0
STALE_AFTER_S = 900.0
JITTER = 0.1
BACKOFF_MOST = 4
"""How many times the interval the pause becomes while the server can not be had."""


class ConfigSync:
    """Owns the way from the Fleet server to `apply`. Start it with `start_from_copy`, then `run`.

    Without a `store` nothing is kept on disk. `asked` is set as soon as the server has answered, or refused to, or
    10 s have passed: from then on heartbeats may go out. `tell` sends events.
    """

    def __init__(
        self,
        source: ConfigSource,
        store: DocumentStore | None,
        options: PlanOptions,
        apply: Callable[[Plan], None],
        *,
        fixed_id: bool,
        interval_s: float,
        clock: Clock,
        board: Board,
        probation_s: float = 60.0,
        on_other_spelling: Callable[[], None] = lambda: None,
        on_server_time: Callable[[datetime], None] = lambda _: None,
        tell: Tell = lambda kind, fields: None,
    ) -> None:
        self.asked = asyncio.Event()
        self._source = source
        self._store = store
        self._replanner = Replanner(options)
        self._rollout = Rollout(apply, store, probation_s=probation_s, clock=clock, board=board, tell=tell)
        self._expected = _spellings(options.edge_id)
        self._fixed_id = fixed_id
        self._interval_s = interval_s
        self._clock = clock
        self._board = board
        self._turn = asyncio.Lock()
        self._settled_at = clock.monotonic()
        self._unconditional_at = 0.0
        self._told: set[str] = set()
        self._on_other_spelling = on_other_spelling
        self._on_server_time = on_server_time
        self._tell = tell
        self._failures = 0
        self._undone: set[str] = set()

    @property
    def in_force(self) -> InForce | None:
        """The document that is applied."""
        return self._rollout.in_force

    async def start_from_copy(self) -> None:
        """Apply the last good document, if there is one, so that polling waits for nobody."""
        kept = await asyncio.to_thread(self._store.load) if self._store else None
        if kept is None:
            return
        if kept.edge_id not in self._expected:
            log.warning("the document kept on disk is another edge's and is not used", edge_id=kept.edge_id)
            return
        try:
            copy = await asyncio.to_thread(self._planned_copy, kept)
        except NotAConfig as error:
            log.warning("the document kept on disk can not be used", reason=str(error))
            return
        if not self._fixed_id:
            self._source.edge_id = kept.edge_id
        self._rollout.begin_with(copy)

    async def run(self) -> None:
        """Ask now, then at every interval or when the source has news, for ever."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._rollout.run(), name="config rollout")
            tasks.create_task(self._ask_again_and_again(), name="config requests")

    async def reload(self) -> InForce:
        """Ask now, whatever the ETag says and whatever was rolled back, and apply what comes. Raises `FleetError`."""
        async with self._turn:
            await self._rollout.try_again()
            in_force = await self._sync(unconditional=True)
        self._recovered()
        return in_force

    async def roll_back(self) -> InForce:
        """Return to the document before the one in force, or before those rolled back already.

        It stays until the server has another one, or is asked by `reload`. Raises `NotAConfig` if there is none.
        """
        async with self._turn:
            present = self.in_force
            if present is None:
                raise NotAConfig("there is no configuration yet")
            aside = self._rollout.set_aside
            self._undone |= {present.sha256} | ({aside.sha256} if aside else set())
            earlier = await asyncio.to_thread(self._earlier)
            await self._rollout.go_back(earlier, "rolled back by a command", for_good=True)
        return earlier

    def _earlier(self) -> InForce:
        kept = self._store.documents() if self._store else ()
        for copy in kept:
            if copy.body_sha256 not in self._undone and copy.edge_id in self._expected:
                try:
                    return self._planned_copy(copy)
                except NotAConfig:  # kept by a version that read more leniently: the one before it may do
                    continue
        raise NotAConfig("there is no earlier configuration on this machine")

    async def _ask_again_and_again(self) -> None:
        patience = asyncio.get_running_loop().call_later(ASK_AT_START_S, self._wait_no_longer)
        try:
            pause_s = await self._ask_once()
        finally:
            patience.cancel()
            self.asked.set()
        while True:
            await self._rest(pause_s)
            pause_s = await self._ask_once()

    def _wait_no_longer(self) -> None:
        self._failed(f"no answer to the question for {self._source.edge_id} within {ASK_AT_START_S:g} s, still waiting")
        self.asked.set()

    async def _rest(self, pause_s: float) -> None:
        try:
            async with asyncio.timeout(pause_s):
                await self._source.news()
        except TimeoutError:
            pass

    async def _ask_once(self) -> float:
        """One round; returns the seconds until the next."""
        now = self._clock.monotonic()
        try:
            async with self._turn:
                await self._sync(unconditional=self.in_force is None or now >= self._unconditional_at)
        except FleetError as error:
            self._failures += 1
            self._failed(str(error), no_document=isinstance(error, NotAConfig))
            return self._pause_s(REFUSED_PAUSE_S if isinstance(error, FleetRefused) else 0.0)
        except Exception as error:  # noqa: BLE001 - whatever an answer sets off in here must cost that answer only
            self._stumbled(error)
            return self._pause_s()
        self._recovered()
        return self._pause_s()

    def _stumbled(self, error: Exception) -> None:
        reason = f"a fault of the collector's own ({type(error).__name__}), which the log tells; please report it"
        if reason not in self._told:
            log.exception("the configuration could not be read or applied")
        self._failures += 1
        self._unconditional_at = 0.0
        self._failed(reason)

    async def _sync(self, *, unconditional: bool) -> InForce:
        known, aside = self.in_force, self._rollout.set_aside
        if aside is not None and aside.until is not None and self._clock.monotonic() >= aside.until:
            await self._rollout.try_again()
            aside, unconditional = None, True
        spelling = self._source.edge_id
        tag = None if unconditional or known is None else aside.tag if aside else known.tag
        answer = await self._source.fetch(tag)
        if self._source.edge_id != spelling:
            log.info("the Fleet server knows this edge by its other spelling", edge_id=self._source.edge_id)
            self._on_other_spelling()
        if answer.server_date is not None:
            self._on_server_time(answer.server_date)
        if unconditional:
            self._unconditional_at = self._clock.monotonic() + UNCONDITIONAL_EVERY_S
        if not isinstance(answer, Fetched):
            if known is None:
                raise NotAConfig("the server says nothing has changed, but there is no document here yet")
            if self._store is not None and not self._store.has_current():
                await self._rollout.keep()
            return known
        if known is not None and answer.body_sha256 == known.sha256:
            await self._rollout.renew(answer.etag, self._source.name)
        elif known is None or aside is None or answer.body_sha256 != aside.sha256:
            await self._take(answer)
        assert self.in_force is not None  # noqa: S101 - taken, renewed, or known
        return self.in_force

    async def _take(self, answer: Fetched) -> None:
        plan = await asyncio.to_thread(self._planned, answer.body)
        document = InForce(answer.body, answer.body_sha256, answer.etag, answer.edge_id, answer.path, plan)
        self._undone.clear()
        await self._rollout.take(document, self._source.name)

    def _planned_copy(self, kept: Kept) -> InForce:
        return InForce(kept.body, kept.body_sha256, kept.etag, kept.edge_id, kept.path, self._planned(kept.body))

    def _planned(self, body: bytes) -> Plan:
        with quiet_heap():
            return self._replanner.plan_body(body, expected_edge_ids=self._expected)

    def _recovered(self) -> None:
        if self._told:
            log.info("the configuration can be had again")
        self._told.clear()
        self._failures = 0
        self._settled_at = self._clock.monotonic()
        self._board.config.error = None
        self._board.clear_condition("config_stale")

    def _failed(self, reason: str, *, no_document: bool = False) -> None:
        self._board.config.error = reason
        if reason not in self._told:
            self._told.add(reason)
            meanwhile = "the last good configuration stays in force" if self.in_force else "nothing is polled"
            log.warning("no new configuration", reason=reason, meanwhile=meanwhile)
            if no_document:
                problem = ConfigProblem("", "not_a_config", reason)
                self._tell("config", config_event(None, "refused", (problem,)))
        if self._clock.monotonic() - self._settled_at >= STALE_AFTER_S:
            self._board.raise_condition("config_stale", reason)

    def _pause_s(self, at_least_s: float = 0.0) -> float:
        """The interval; shorter at first while there is no configuration at all, longer while one can not be had."""
        pause_s = self._interval_s
        if self._failures and self.in_force is None:
            pause_s = min(pause_s, 2.0 ** min(self._failures - 1, 10))
        elif self._failures:
            pause_s *= min(2 ** min(self._failures - 1, 10), BACKOFF_MOST)
        return max(pause_s * random.uniform(1 - JITTER, 1 + JITTER), at_least_s)  # noqa: S311


def _spellings(edge_id: str) -> tuple[str, ...]:
    other = other_spelling(edge_id)
    return (edge_id, other) if other else (edge_id,)
