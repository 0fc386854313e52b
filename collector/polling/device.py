"""One device on its lane: which of its tags are due, what a cycle gave, and how the device does."""

from collections.abc import Callable
from dataclasses import dataclass, field

from collector.clock import Clock
from collector.config.plan import DevicePlan
from collector.polling.derived import Derivation, Row
from collector.polling.group import GroupReader
from collector.polling.scan import Scan
from collector.polling.stamps import Stamps
from collector.status.board import Board, DeviceCondition
from protocols.base import Cycle, PlcDriver, PlcSession, Remarking
from protocols.errors import SessionError
from protocols.quality import Quality

ScanSink = Callable[[Scan], None]

TAGS_TOLD = 3
_NOT_POLLED = (
    DeviceCondition.PAUSED,
    DeviceCondition.DISABLED,
    DeviceCondition.REFUSED,
    DeviceCondition.FAULTED,
)


@dataclass(slots=True)
class _Turn:
    """When a group is due (monotonic seconds, on a fixed grid), and the device's `words` for its tags that are bad."""

    reader: GroupReader
    interval_s: float
    due: float
    tags: tuple[int, ...]
    names: tuple[str, ...]
    words: dict[str, str] = field(default_factory=dict)


class DevicePoller:
    """Polls one `DevicePlan`. Owned by one lane, which gives it the session."""

    def __init__(
        self,
        driver: PlcDriver,
        plan: DevicePlan,
        first_due: float,
        *,
        clock: Clock,
        board: Board,
        deliver: ScanSink,
    ) -> None:
        self.plan = plan
        self.resting: SessionError | None = None
        self.resting_until = 0.0
        self.finding: str | None = None
        self.retired = False
        self._clock = clock
        self._board = board
        self._deliver = deliver
        self._derived = Derivation(plan)
        self._bad: dict[str, str] = {}
        self._stamps = Stamps(clock)
        self._missed = 0
        self._away = False
        self._session: PlcSession | None = None
        self._remarking: Remarking | None = None
        self._remark: str | None = None
        self._turns = [
            _Turn(
                GroupReader(driver, plan, group),
                group.interval_ms / 1000,
                first_due,
                group.tags,
                tuple(plan.names[tag] for tag in group.tags),
            )
            for group in plan.groups
        ]
        known = board.devices.get(plan.id)
        if known is None or known.condition in _NOT_POLLED:
            board.expect(plan.id, plan.name)
        else:
            known.name = plan.name

    @property
    def due(self) -> float:
        """When the next of its groups is due."""
        return min(turn.due for turn in self._turns)

    async def poll(self, session: PlcSession, now: float) -> None:
        """Read what is due at `now` and deliver it. Raises `SessionError` after delivering what came before it."""
        if session is not self._session:
            self._session, self._remarking = session, session if isinstance(session, Remarking) else None
        turns = self._take_due(now)
        if self._away:
            for turn in turns:
                turn.reader.retry_soon(now)
        cycles = [Cycle([None] * len(turn.tags)) for turn in turns]
        failure: SessionError | None = None
        started = self._clock.monotonic()
        for turn, cycle in zip(turns, cycles, strict=True):
            try:
                await turn.reader.read(session, cycle, now)
            except SessionError as error:
                failure = error
                break
        if not self.retired:
            self._board.devices[self.plan.id].took.note(self._clock.monotonic() - started)
        self._remark = self._remarking.remark if failure is None and self._remarking else None
        self._finish(turns, cycles, failure)
        if failure:
            raise failure

    def skip(self, now: float, error: SessionError) -> None:
        """Account for a cycle that could not be tried, because the session is away for this reason."""
        self._remark = None
        turns = self._take_due(now)
        self._finish(turns, [Cycle([None] * len(turn.tags)) for turn in turns], error)

    def retire(self) -> None:
        """Its plan is no longer in force: what a cycle under way still brings is not delivered."""
        self.retired = True

    def _finish(self, turns: list[_Turn], cycles: list[Cycle], failure: SessionError | None) -> None:
        if self.retired:
            return
        for turn, cycle in zip(turns, cycles, strict=True):
            turn.words = {turn.names[position]: words for position, words in cycle.words.items()}
        scan = self._scan(turns, cycles, failure.quality if failure else Quality.NO_VALUE)
        self._report(scan, turns, failure)
        self._deliver(scan)

    def _take_due(self, now: float) -> list[_Turn]:
        """The groups that are due, each moved on to the next point of its grid that lies ahead."""
        turns = [turn for turn in self._turns if turn.due <= now]
        for turn in turns:
            passed = int((now - turn.due) / turn.interval_s)
            self._missed += passed
            turn.due += (passed + 1) * turn.interval_s
        return turns

    def _scan(self, turns: list[_Turn], cycles: list[Cycle], missing: Quality) -> Scan:
        for cycle in cycles:
            if None in cycle.values:
                for position, value in enumerate(cycle.values):
                    if value is None and position not in cycle.bad:
                        cycle.bad[position] = missing
        if len(turns) == 1 and not self._derived:
            return Scan(self.plan, self._stamps.next_ms(), turns[0].names, cycles[0].values, cycles[0].bad)
        rows = _merge(turns, cycles)
        self._derived.complete(rows)
        tags = sorted(rows)
        names = tuple(self.plan.names[tag] for tag in tags)
        bad = {position: quality for position, tag in enumerate(tags) if (quality := rows[tag].quality) is not None}
        return Scan(self.plan, self._stamps.next_ms(), names, [rows[tag].value for tag in tags], bad)

    def _report(self, scan: Scan, turns: list[_Turn], failure: SessionError | None) -> None:
        state = self._board.devices[self.plan.id]
        state.polls += 1
        doubted = self.plan.doubt.remark if self.plan.doubt else None
        state.remark = "; ".join(filter(None, (self._remark, doubted))) or None
        state.missed, self._missed = state.missed + self._missed, 0
        state.requests_per_cycle = sum(len(turn.reader.requests) for turn in turns)
        if not scan.empty:
            state.last_good_ms = scan.stamp_ms
        if failure is None:
            self.finding = None
        if self._bad or scan.bad:
            self._note_bad(scan)
        state.failures += failure is not None
        if failure is not None:
            state.failed[failure.quality.value] = state.failed.get(failure.quality.value, 0) + 1
        self._away = failure is not None
        condition = self._condition(scan, failure)
        if condition is not DeviceCondition.ONLINE or state.condition is not condition or state.bad_tags:
            state.bad_tags = dict(self._bad)
            error = None if condition is DeviceCondition.ONLINE else self._explain(failure)
            self._board.device(self.plan.id, self.plan.name, condition, error)

    def _note_bad(self, scan: Scan) -> None:
        for position, name in enumerate(scan.names):
            quality = scan.bad.get(position)
            if quality is None:
                self._bad.pop(name, None)
            else:
                self._bad[name] = quality.value

    def _condition(self, scan: Scan, failure: SessionError | None) -> DeviceCondition:
        """Of the device as a whole: what was not due in this cycle counts as it was when it last was."""
        if not self._bad:
            return DeviceCondition.ONLINE
        away = scan.empty and (failure is not None or len(self._bad) == len(self.plan.names))
        return DeviceCondition.OFFLINE if away else DeviceCondition.DEGRADED

    def _explain(self, failure: SessionError | None) -> str:
        if failure is not None:
            # The finding first, for the status cuts long texts.
            return f"{self.finding} ({failure})" if self.finding else str(failure)
        refusals = [text for turn in self._turns for text in _refusals(turn)]
        words = {name: f" ({said})" for turn in self._turns for name, said in turn.words.items()}
        bad = list(self._bad.items())[:TAGS_TOLD]
        tags = ", ".join(f"{name} {quality}{words.get(name, '')}" for name, quality in bad)
        more = f" and {len(self._bad) - TAGS_TOLD} more" if len(self._bad) > TAGS_TOLD else ""
        return f"no good value for {tags}{more}" + (f": {refusals[0]}" if refusals else "")


def _refusals(turn: _Turn) -> list[str]:
    """Why tags of the group were refused, latest first."""
    told = [aside.message for aside in turn.reader.set_aside.values()]
    return [turn.reader.last_refusal, *told] if turn.reader.last_refusal else told


def _merge(turns: list[_Turn], cycles: list[Cycle]) -> dict[int, Row]:
    """Several groups due at once make one message: their tags by position in the plan."""
    return {
        tag: Row(cycle.values[position], cycle.bad.get(position))
        for turn, cycle in zip(turns, cycles, strict=True)
        for position, tag in enumerate(turn.tags)
    }
