"""Brings documents into force: at its own pace for each device, on probation, and back again where that is lost."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import structlog

from collector.clock import Clock
from collector.config.in_force import InForce
from collector.config.pace import Pace
from collector.config.plan import Plan
from collector.config.probation import Trial, begin_trial, good_devices, is_lost
from collector.status.board import Board, ConfigProblem
from fleet_client.copies import Aside, DocumentStore
from fleet_client.errors import NotKept

log = structlog.get_logger()

TRY_AGAIN_S = 600.0
_PROBLEMS_LOGGED = 20
_ERRORS_TOLD = 5

Tell = Callable[[str, Mapping[str, object]], None]
"""Sends an event of a type with its fields."""


@dataclass(frozen=True, slots=True)
class SetAside:
    """A document that was rolled back: not applied again before `until` (monotonic seconds), None: not by itself."""

    sha256: str
    tag: str | None
    until: float | None


class Rollout:
    """Owns what is in force. `run` must run for what is held back, and for probations, to come to their end.

    Without a `store` nothing is kept on disk.
    """

    def __init__(
        self,
        apply: Callable[[Plan], None],
        store: DocumentStore | None,
        *,
        probation_s: float,
        clock: Clock,
        board: Board,
        tell: Tell,
    ) -> None:
        self.in_force: InForce | None = None
        self.set_aside: SetAside | None = None
        self._apply = apply
        self._store = store
        self._probation_s = probation_s
        self._clock = clock
        self._board = board
        self._tell = tell
        self._pace = Pace()
        self._more_at: float | None = None
        self._trial: Trial | None = None
        self._proven: InForce | None = None
        self._changed = asyncio.Event()
        self._disk = asyncio.Lock()
        self._unkept: str | None = None

    async def run(self) -> None:
        """Apply what was held back and judge what is on probation, each when its time has come, for ever."""
        while True:
            self._changed.clear()
            await self._until_due()
            now = self._clock.monotonic()
            if self._more_at is not None and now >= self._more_at:
                self._apply_paced()
            if self._trial is not None and now >= self._trial.ends_at:
                await self._judge(self._trial)

    def begin_with(self, copy: InForce) -> None:
        """What was in force when the last run ended, from the disk."""
        self._show(copy, "disk")
        aside = self._store.aside() if self._store else None
        if aside is not None:
            until = None if aside.for_good else self._clock.monotonic() + TRY_AGAIN_S
            self.set_aside = SetAside(aside.sha256, aside.tag, until)
            self._board.raise_condition("config_rolled_back", "a document was rolled back before the last stop")

    async def take(self, document: InForce, source: str) -> None:
        """Bring a document from the source into force, on probation if it could silence something, and keep it."""
        self._forget_aside()
        before, good = self.in_force, good_devices(self._board, self._clock.wall_ms())
        self._show(document, source)
        self._put_on_probation(before, document, good)
        self._announce(document, "applied", document.plan.problems)
        await self.keep()

    async def renew(self, etag: str | None, source: str) -> None:
        """The document in force is what the source has, under this ETag now."""
        if self.in_force is not None:
            self.in_force = replace(self.in_force, etag=etag)
            self._board.config.source = source
            self._forget_aside()
            await self.keep()

    async def go_back(self, to: InForce, reason: str, *, for_good: bool) -> None:
        """Return to an earlier document; the present one is set aside, `for_good` until the source has another."""
        failed = self.in_force
        self._trial = None
        self._show(to, "disk")
        if failed is not None:
            until = None if for_good else self._clock.monotonic() + TRY_AGAIN_S
            self.set_aside = SetAside(failed.sha256, failed.tag, until)
            self._board.raise_condition("config_rolled_back", f"version {failed.plan.version}: {reason}")
            log.warning("configuration rolled back", version=failed.plan.version, to=to.plan.version, reason=reason)
            self._announce(failed, "rolled_back", (ConfigProblem("", "rolled_back", reason),))
        await self.keep()

    async def try_again(self) -> None:
        """Whatever was rolled back may be applied again."""
        self._forget_aside()
        await self.keep()

    async def keep(self) -> None:
        """See that what is in force, and what is not to be, is on the disk, whole."""
        if self._store is None:
            return
        async with self._disk:
            try:
                await asyncio.to_thread(self._write, self._store, self.in_force, self.set_aside)
                self._unkept = None
            except NotKept as error:
                if str(error) != self._unkept:
                    log.warning("the document is in force but could not be kept on disk", reason=str(error))
                self._unkept = str(error)

    @staticmethod
    def _write(store: DocumentStore, in_force: InForce | None, aside: SetAside | None) -> None:
        store.put_aside(Aside(aside.sha256, aside.tag, for_good=aside.until is None) if aside else None)
        if in_force is not None:
            store.keep(in_force.body, in_force.etag, in_force.edge_id, in_force.path)

    def _forget_aside(self) -> None:
        self.set_aside = None
        self._board.clear_condition("config_rolled_back")

    async def _until_due(self) -> None:
        ends_at = self._trial.ends_at if self._trial else None
        times = [at for at in (self._more_at, ends_at) if at is not None]
        delay_s = max(min(times) - self._clock.monotonic(), 0.0) if times else None
        try:
            async with asyncio.timeout(delay_s):
                await self._changed.wait()
        except TimeoutError:
            pass

    def _show(self, document: InForce, source: str) -> None:
        before, self.in_force = self.in_force, document
        try:
            self._apply_paced()
        except Exception:
            self.in_force = before  # what could not be applied is not in force: the next answer brings it again
            raise
        plan, state = document.plan, self._board.config
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
        for problem in plan.problems[:_PROBLEMS_LOGGED]:
            log.warning("refused", path=problem.path, reason=problem.message)

    def _apply_paced(self) -> None:
        assert self.in_force is not None  # noqa: S101 - nothing is held back before there is a document
        paced = self._pace.admit(self.in_force.plan, self._clock.monotonic())
        self._more_at = paced.more_at
        self._apply(paced.plan)
        self._changed.set()

    def _put_on_probation(self, before: InForce | None, document: InForce, good: frozenset[str]) -> None:
        """A document that follows one still on probation is judged by what was good before that one."""
        if self._trial is not None:
            good = good | self._trial.witnesses
        else:
            self._proven = before
        self._trial = None
        if self._proven is not None:
            begins_at = self._clock.monotonic() if self._more_at is None else self._more_at
            ends_at = begins_at + self._probation_s
            self._trial = begin_trial(self._proven.plan, document.plan, good, self._board, ends_at)

    async def _judge(self, trial: Trial) -> None:
        self._trial = None
        if self._proven is None or not is_lost(trial, self._board):
            return
        reason = (
            f"none of {len(trial.jury)} devices gave a value after {self._probation_s:g} s, {len(trial.witnesses)} did "
            f"before; it is tried again when it changes, or after {TRY_AGAIN_S / 60:g} minutes"
        )
        await self.go_back(self._proven, reason, for_good=False)

    def _announce(self, document: InForce, state: str, problems: tuple[ConfigProblem, ...]) -> None:
        self._tell("config", config_event(document.plan.version, state, problems))


def config_event(version: str | None, state: str, problems: tuple[ConfigProblem, ...]) -> dict[str, object]:
    """The fields of a `config` event: of the errors the first few, and how many there are."""
    errors = [{"path": each.path, "code": each.code, "message": each.message} for each in problems[:_ERRORS_TOLD]]
    return {"version": version, "state": state, "errors": errors, "error_count": len(problems)}
