"""How often a device may be changed: a document that flaps must not make its devices flap."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

from collector.config.plan import DevicePlan, IdleDevice, Plan

REST_S = 10.0

Decided: TypeAlias = DevicePlan | IdleDevice


@dataclass(frozen=True, slots=True)
class Paced:
    """What may be in force now, and when (monotonic seconds) more of the wanted plan may; None if it is all of it."""

    plan: Plan
    more_at: float | None


class Pace:
    """Lets a device change at once if it has not changed for `REST_S`, and holds it back till then if it has.

    To be polled or no longer polled is a change as well. A device that was never seen before waits for nothing.
    """

    def __init__(self) -> None:
        self._in_force: dict[str, Decided] = {}
        self._changed_at: dict[str, float] = {}

    def admit(self, wanted: Plan, now: float) -> Paced:
        """As much of the wanted plan as may be in force at `now`; it is taken to be in force from then on."""
        self._changed_at = {device: at for device, at in self._changed_at.items() if now - at < REST_S}
        wanted_devices: tuple[Decided, ...] = (*wanted.devices, *wanted.idle)
        target = {each.id: each for each in wanted_devices}
        held: list[str] = []
        admitted = dict(self._admitted(target, now, held))
        self._in_force = admitted
        plan = replace(
            wanted,
            devices=tuple(each for each in admitted.values() if isinstance(each, DevicePlan)),
            idle=tuple(each for each in admitted.values() if isinstance(each, IdleDevice)),
        )
        return Paced(plan, min((self._changed_at[device] + REST_S for device in held), default=None))

    def _admitted(self, target: dict[str, Decided], now: float, held: list[str]) -> Iterator[tuple[str, Decided]]:
        for device in target | self._in_force:
            before, wanted = self._in_force.get(device), target.get(device)
            if _is_change(before, wanted):
                if device in self._changed_at:
                    held.append(device)
                    wanted = before
                elif before is not None:
                    self._changed_at[device] = now
            if wanted is not None:
                yield device, wanted


def _is_change(before: Decided | None, wanted: Decided | None) -> bool:
    """Whether the device would be polled otherwise than it is."""
    polled = isinstance(before, DevicePlan) or isinstance(wanted, DevicePlan)
    return polled and before != wanted
