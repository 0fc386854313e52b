"""Keeps one lane an endpoint running, and exchanges what they poll when the plan changes or a device is paused."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Self

import structlog

from collector.clock import Clock
from collector.config.plan import DevicePlan, Plan
from collector.polling.device import ScanSink
from collector.polling.errors import DeviceAway, DeviceUnknown
from collector.polling.lane import Lane
from collector.polling.mailbox import Errand, Result
from collector.polling.probe import DriverOf
from collector.status.board import Board, DeviceCondition
from protocols.base import PlcDriver

log = structlog.get_logger()

Link = tuple[str | int, ...]

STAGGER_S = 1.0
FAULT_PAUSE_S = 5.0
FAULT_PAUSE_MAX_S = 60.0

NO_PLAN = Plan(None, "", None, (), (), (), ())


@dataclass(frozen=True, slots=True)
class Station:
    """A device that is polled: what a command for it is checked with, and who carries it out."""

    driver: PlcDriver
    plan: DevicePlan
    _lane: Lane

    async def carry_out(self, errand: Errand[Result], deadline: float, *, insistent: bool = False) -> Result:
        """See `Lane.carry_out`; `deadline` is monotonic seconds."""
        return await self._lane.carry_out(self.plan, errand, deadline, insistent=insistent)


class Supervisor:
    """Owns the lanes. An async context: leaving it stops all polling and closes every session."""

    def __init__(self, *, clock: Clock, board: Board, deliver: ScanSink, driver_of: DriverOf) -> None:
        self._clock = clock
        self._board = board
        self._deliver = deliver
        self._driver_of = driver_of
        self._plan = NO_PLAN
        self._paused: frozenset[str] = frozenset()
        self._lanes: dict[Link, Lane] = {}
        self._tending: set[asyncio.Task[None]] = set()
        self._tasks = asyncio.TaskGroup()

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tending:
            task.cancel()
        await self._tasks.__aexit__(kind, error, trace)

    def apply(self, plan: Plan) -> None:
        """Poll what `plan` says from now on. Devices whose plan is equal are not touched."""
        self._plan = plan
        self._poll(replace(plan, devices=tuple(device for device in plan.devices if device.id not in self._paused)))
        self._show_idle(plan)

    def pause(self, device_ids: frozenset[str]) -> None:
        """Poll all but these from now on; ids that the plan does not have wait for one that has them."""
        self._paused = device_ids
        self.apply(self._plan)

    @property
    def paused(self) -> frozenset[str]:
        """The ids of the devices that are not polled until they are resumed."""
        return self._paused

    def check_known(self, device_id: str) -> None:
        """Whether the document has such a device, polled or not. Raises `DeviceUnknown`."""
        if device_id not in {device.id for device in self._plan.devices} | {idle.id for idle in self._plan.idle}:
            raise DeviceUnknown(f"no device of the configuration has the id {device_id!r}")

    def station(self, device_id: str) -> Station:
        """Where a device is polled. Raises `DeviceUnknown`, or `DeviceAway` for one that is not polled."""
        for lane in self._lanes.values():
            if plan := lane.polls(device_id):
                return Station(lane.driver, plan, lane)
        self.check_known(device_id)
        raise DeviceAway(self._why_not_polled(device_id))

    def _why_not_polled(self, device_id: str) -> str:
        for device in self._plan.idle:
            if device.id == device_id:
                why = "is disabled in the configuration" if device.reason is None else f"is refused: {device.reason}"
                return f"{device.name} {why}"
        return "the device is paused; resume_device lets it be polled again"

    def _poll(self, plan: Plan) -> None:
        wanted: defaultdict[Link, list[DevicePlan]] = defaultdict(list)
        for device in plan.devices:
            wanted[device.connection.link].append(device)
        running = {device.id: (device, lane) for lane in self._lanes.values() for device in lane.devices}
        fresh = [device for device in plan.devices if device.id not in running or running[device.id][0] != device]
        first_due = self._stagger(fresh)
        for link, lane in self._lanes.items():
            lane.keep(wanted.get(link, ()), first_due)
        for link in wanted.keys() - self._lanes.keys():
            leaving = [running[device.id][1] for device in wanted[link] if device.id in running]
            self._start(link, wanted[link], first_due, leaving)

    def _stagger(self, devices: Iterable[DevicePlan]) -> dict[str, float]:
        """First polls spread over a second (or the interval, if that is shorter), so that they do not all coincide."""
        fresh = list(devices)
        now = self._clock.monotonic()
        return {
            device.id: now + position / len(fresh) * min(STAGGER_S, device.groups[0].interval_ms / 1000)
            for position, device in enumerate(fresh)
        }

    def _start(
        self, link: Link, devices: list[DevicePlan], first_due: dict[str, float], leaving: Iterable[Lane]
    ) -> None:
        lane = Lane(
            self._driver_of(devices[0].protocol),
            clock=self._clock,
            board=self._board,
            deliver=self._deliver,
            driver_of=self._driver_of,
        )
        lane.keep(devices, first_due)
        self._lanes[link] = lane
        # A device that moved to another endpoint is let go there before it is asked here.
        closing = [other for other in leaving if not other.devices]
        task = self._tasks.create_task(self._tend(link, lane, closing), name=f"lane {link}")
        self._tending.add(task)
        task.add_done_callback(self._tending.discard)

    async def _tend(self, link: Link, lane: Lane, closing: Iterable[Lane]) -> None:
        for other in closing:
            await other.closed.wait()
        pause_s = FAULT_PAUSE_S
        while lane.devices:
            try:
                await lane.run()
            except Exception as error:  # noqa: BLE001 - a driver's bug costs its own lane, never the process
                self._show_fault(lane, error)
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, FAULT_PAUSE_MAX_S)
        del self._lanes[link]

    def _show_fault(self, lane: Lane, error: Exception) -> None:
        log.error("a lane failed and will be restarted", devices=[d.name for d in lane.devices], exc_info=error)
        for device in lane.devices:
            text = f"internal error: {type(error).__name__}: {error}"
            self._board.device(device.id, device.name, DeviceCondition.FAULTED, text)

    def _show_idle(self, plan: Plan) -> None:
        polled = {device.id for device in plan.devices}
        idle = {device.id for device in plan.idle}
        for gone in self._board.devices.keys() - polled - idle:
            del self._board.devices[gone]
        for device in plan.idle:
            condition = DeviceCondition.DISABLED if device.reason is None else DeviceCondition.REFUSED
            self._board.device(device.id, device.name, condition, device.reason)
        for held in plan.devices:
            if held.id in self._paused:
                self._board.device(held.id, held.name, DeviceCondition.PAUSED)
