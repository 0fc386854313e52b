"""The factory hall of the demo: a PLC of each protocol, and the gateway itself."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from collector.cli.demo.machines import MACHINES, Listening, Machine
from simulators.faults import PlcFaults
from simulators.plc import Plc
from simulators.stamps import stamp

EDGE_ID = "edge-demo-001"


class Hall:
    """``async with Hall(say) as hall``: its machines run, each on a free port of loopback.

    What each listens on, and which can not start and why, is told to `say`; the hall goes on without those.
    """

    def __init__(self, say: Callable[[str], None], machines: Sequence[Machine] = MACHINES) -> None:
        self._say = say
        self._machines = machines
        self._running: dict[str, Listening] = {}
        self._stack = AsyncExitStack()

    def document(self) -> dict[str, object]:
        """What the Fleet server says about the hall."""
        return {
            "version": stamp(),
            "edge_id": EDGE_ID,
            "edge_name": "데모 공장",
            "devices": [entry for machine in self._machines if (entry := self._entry(machine)) is not None],
            "aggregation_interval_sec": 60,
            "local_retention_days": 7,
        }

    def plcs(self) -> Mapping[str, PlcFaults]:
        """By device id, what can be wrong with those that run within this process."""
        return {device_id: plc.faults for device_id, plc in self._running.items() if isinstance(plc, Plc)}

    async def __aenter__(self) -> Self:
        try:
            async with asyncio.TaskGroup() as starting:
                for machine in self._machines:
                    starting.create_task(self._start(machine), name=f"start {machine.name}")
        except BaseException:
            await self._stack.aclose()
            raise
        for machine in self._machines:
            if (plc := self._running.get(machine.device_id)) is not None:
                self._say(f"{machine.protocol:<12} {plc.host}:{plc.port}, {machine.name}")
            elif machine.start is None:
                self._say(f"{machine.protocol:<12} this machine, {machine.name}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def _start(self, machine: Machine) -> None:
        if machine.start is None:
            return
        try:
            self._running[machine.device_id] = await self._stack.enter_async_context(machine.start())
        except (OSError, RuntimeError) as trouble:
            self._say(f"{machine.protocol:<12} {machine.name} can not start and is left out: {trouble}")

    def _entry(self, machine: Machine) -> dict[str, object] | None:
        plc = self._running.get(machine.device_id)
        if plc is not None:
            return machine.describe(plc.host, plc.port, device_id=machine.device_id, name=machine.name)
        if machine.start is None:
            return machine.describe("", 0, device_id=machine.device_id, name=machine.name)
        return None


def units() -> Mapping[tuple[str, str], str]:
    """The engineering unit of each (device id, tag)."""
    return {(machine.device_id, tag): unit for machine in MACHINES for tag, unit in machine.units.items()}
