"""Whether a new document silenced what had worked: judged by devices that both documents want polled.

Pure but for the board it reads. A device that was disabled, or was away already, is no witness, so an edit while the
plant is off and a line that is switched off by hand are never taken for a mistake.
"""

from collections.abc import Iterator, Set
from dataclasses import dataclass

from collector.config.plan import Plan
from collector.status.board import Board, DeviceCondition, DeviceState

GOOD_WITHIN_MS = 60_000
_GOOD = (DeviceCondition.ONLINE, DeviceCondition.DEGRADED)


@dataclass(frozen=True, slots=True)
class Trial:
    """A document on probation until `ends_at` (monotonic seconds).

    `witnesses` were good before it and are enabled in it; `last_good_ms` are the stamps, at its begin, of all
    devices that both documents enable and that are polled otherwise than before.
    """

    witnesses: Set[str]
    jury: Set[str]
    last_good_ms: dict[str, int | None]
    ends_at: float


def good_devices(board: Board, now_ms: int) -> frozenset[str]:
    """The devices that are good, or were within the last minute."""
    return frozenset(
        state.id
        for state in board.devices.values()
        if _is_good(state) or (state.last_good_ms is not None and 0 <= now_ms - state.last_good_ms <= GOOD_WITHIN_MS)
    )


def begin_trial(old: Plan, new: Plan, good: Set[str], board: Board, ends_at: float) -> Trial | None:
    """The trial of `new`, where `good` were good before it; None where nothing could speak against it."""
    jury = set(_enabled(old)) & set(_enabled(new))
    if not jury & good:
        return None
    before = {device.id: device for device in old.devices}
    unchanged = {device.id for device in new.devices if before.get(device.id) == device}
    stamps = {device: _last_good_ms(board, device) for device in jury - unchanged}
    return Trial(jury & good, jury, stamps, ends_at)


def is_lost(trial: Trial, board: Board) -> bool:
    """Whether none of the devices that both documents enable is good."""
    return not any(_proves(device, trial, board) for device in trial.jury)


def _proves(device: str, trial: Trial, board: Board) -> bool:
    state = board.devices.get(device)
    if state is None or not _is_good(state):
        return False
    return device not in trial.last_good_ms or state.last_good_ms != trial.last_good_ms[device]


def _is_good(state: DeviceState) -> bool:
    return state.known and state.condition in _GOOD


def _enabled(plan: Plan) -> Iterator[str]:
    """Devices the document wants polled, whether it can be done or not."""
    yield from (device.id for device in plan.devices)
    yield from (idle.id for idle in plan.idle if idle.reason is not None)


def _last_good_ms(board: Board, device: str) -> int | None:
    state = board.devices.get(device)
    return None if state is None else state.last_good_ms
