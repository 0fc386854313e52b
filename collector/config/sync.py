"""Keeps the plan in step with the Fleet server's document: asks, reads, plans, applies, and only then remembers."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from collector.clock import Clock
from collector.config.plan import Plan
from collector.config.planner import PlanOptions, plan_document
from collector.config.source import ConfigSource
from collector.status.board import Board
from fleet_client.client import Fetched
from fleet_client.copies import DocumentStore
from fleet_client.errors import FleetError, FleetRefused, NotAConfig, NotKept
from fleet_client.reading import read_document
from fleet_client.topics import other_spelling

log = structlog.get_logger()

ASK_AT_START_S = 10.0
UNCONDITIONAL_EVERY_S = 3600.0
REFUSED_PAUSE_S = 60.0
STALE_AFTER_S = 900.0
JITTER = 0.1


@dataclass(frozen=True, slots=True)
class InForce:
    """The document that is applied: as it came, what names it at the server, and the plan made of it."""

    body: bytes
    sha256: str
    etag: str | None
    plan: Plan


class ConfigSync:
    """Owns the way from the Fleet server to `apply`. Start it with `start_from_copy`, then `run`.

    Without a `store` nothing is kept on disk. `asked` is set as soon as the server has answered, or refused to, or
    10 s have passed: from then on the edge id is settled and heartbeats may go out.
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
        on_other_spelling: Callable[[], None] = lambda: None,
        on_server_time: Callable[[datetime], None] = lambda _: None,
    ) -> None:
        self.asked = asyncio.Event()
        self.in_force: InForce | None = None
        self._source = source
        self._store = store
        self._options = options
        self._apply = apply
        self._expected = _spellings(options.edge_id)
        self._fixed_id = fixed_id
        self._interval_s = interval_s
        self._clock = clock
        self._board = board
        self._turn = asyncio.Lock()
        self._reached_at = clock.monotonic()
        self._unconditional_at = 0.0
        self._told: set[str] = set()
        self._on_other_spelling = on_other_spelling
        self._on_server_time = on_server_time
        self._failures = 0

    async def start_from_copy(self) -> None:
        """Apply the last good document, if there is one, so that polling waits for nobody."""
        kept = await asyncio.to_thread(self._store.load) if self._store else None
        if kept is None:
            return
        if kept.edge_id not in self._expected:
            log.warning("the document kept on disk is another edge's and is not used", edge_id=kept.edge_id)
            return
        try:
            plan = await asyncio.to_thread(self._planned, kept.body)
        except NotAConfig as error:
            log.warning("the document kept on disk can not be used", reason=str(error))
            return
        if not self._fixed_id:
            self._source.edge_id = kept.edge_id
        self._put_in_force(InForce(kept.body, kept.body_sha256, kept.etag, plan), source="disk")

    async def run(self) -> None:
        """Ask now and then at every interval, for ever."""
        try:
            async with asyncio.timeout(ASK_AT_START_S):
                pause_s = await self._ask_once()
        except TimeoutError:
            self._failed(f"no answer to the question for {self._source.edge_id} within {ASK_AT_START_S:g} s")
            pause_s = self._pause_s()
        finally:
            self.asked.set()
        while True:
            await asyncio.sleep(pause_s)
            pause_s = await self._ask_once()

    async def reload(self) -> InForce:
        """Ask now, whatever the ETag says, and apply what comes. Raises `FleetError`."""
        async with self._turn:
            in_force = await self._sync(unconditional=True)
        self._recovered()
        return in_force

    async def _ask_once(self) -> float:
        """One round; returns the seconds until the next."""
        now = self._clock.monotonic()
        try:
            async with self._turn:
                await self._sync(unconditional=self.in_force is None or now >= self._unconditional_at)
        except FleetError as error:
            self._failed(str(error))
            return self._pause_s(REFUSED_PAUSE_S if isinstance(error, FleetRefused) else 0.0)
        self._recovered()
        return self._pause_s()

    async def _sync(self, *, unconditional: bool) -> InForce:
        known = self.in_force
        spelling = self._source.edge_id
        answer = await self._source.fetch(None if unconditional or known is None else _tag_of(known))
        if self._source.edge_id != spelling:
            log.info("the Fleet server knows this edge by its other spelling", edge_id=self._source.edge_id)
            self._on_other_spelling()
        self._reached_at = self._clock.monotonic()
        if answer.server_date is not None:
            self._on_server_time(answer.server_date)
        if unconditional:
            self._unconditional_at = self._clock.monotonic() + UNCONDITIONAL_EVERY_S
        if not isinstance(answer, Fetched):
            if known is None:
                raise NotAConfig("the server says nothing has changed, but there is no document here yet")
            return known
        if known is not None and answer.body_sha256 == known.sha256:
            self.in_force = replace(known, etag=answer.etag)
            self._board.config.source = self._source.name
            return self.in_force
        return await self._take(answer)

    async def _take(self, answer: Fetched) -> InForce:
        plan = await asyncio.to_thread(self._planned, answer.body)
        in_force = InForce(answer.body, answer.body_sha256, answer.etag, plan)
        self._put_in_force(in_force, source=self._source.name)
        if self._store is None:
            return in_force
        try:
            await asyncio.to_thread(self._store.keep, answer.body, answer.etag, answer.edge_id, answer.path)
        except NotKept as error:
            log.warning("the document is in force but could not be kept on disk", reason=str(error))
        return in_force

    def _planned(self, body: bytes) -> Plan:
        return plan_document(read_document(body, expected_edge_ids=self._expected), self._options)

    def _put_in_force(self, in_force: InForce, *, source: str) -> None:
        plan = in_force.plan
        self._apply(plan)
        self.in_force = in_force
        state = self._board.config
        state.version, state.edge_name, state.source = plan.version, plan.edge_name, source
        state.applied_ms, state.problems = self._clock.wall_ms(), plan.problems
        log.info(
            "configuration applied",
            source=source,
            version=plan.version,
            devices=len(plan.devices),
            tags=plan.tag_count,
            refused=len(plan.problems),
        )
        for problem in plan.problems[:20]:
            log.warning("refused", path=problem.path, reason=problem.message)

    def _recovered(self) -> None:
        if self._told:
            log.info("the configuration can be had again")
        self._told.clear()
        self._failures = 0
        self._board.config.error = None
        self._board.clear_condition("config_stale")

    def _failed(self, reason: str) -> None:
        self._failures += 1
        self._board.config.error = reason
        if reason not in self._told:
            self._told.add(reason)
            meanwhile = "the last good configuration stays in force" if self.in_force else "nothing is polled"
            log.warning("no new configuration", reason=reason, meanwhile=meanwhile)
        if self._clock.monotonic() - self._reached_at >= STALE_AFTER_S:
            self._board.raise_condition("config_stale", reason)

    def _pause_s(self, at_least_s: float = 0.0) -> float:
        """The interval; shorter at first while there is no configuration at all."""
        pause_s = self._interval_s
        if self.in_force is None and self._failures:
            pause_s = min(pause_s, 2.0 ** min(self._failures - 1, 10))
        return max(pause_s * random.uniform(1 - JITTER, 1 + JITTER), at_least_s)  # noqa: S311


def _spellings(edge_id: str) -> tuple[str, ...]:
    other = other_spelling(edge_id)
    return (edge_id, other) if other else (edge_id,)


def _tag_of(known: InForce) -> str | None:
    """What names the document at the server: its ETag, else its version in quotes."""
    if known.etag is not None:
        return known.etag
    return f'"{known.plan.version}"' if known.plan.version is not None else None
