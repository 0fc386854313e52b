"""Plans one document after the other, and decides anew only about the devices that changed in between."""

from dataclasses import dataclass

from collector.config.plan import Plan
from collector.config.planner import DeviceOutcome, PlanOptions, plan_device, plan_document
from fleet_client.document import DeviceConfig
from fleet_client.reading import DevicePlace, ReadDocument


@dataclass(frozen=True, slots=True)
class _Decision:
    device: DeviceConfig
    connection: str
    place: DevicePlace
    outcome: DeviceOutcome

    def holds_for(self, device: DeviceConfig, place: DevicePlace) -> bool:
        # A connection holds what the server sent: 1, 1.0 and true are equal, and not the same.
        return self.place == place and self.connection == repr(device.connection) and self.device == device


class Replanner:
    """`plan_document` with a memory of the document before; the result is the same, only sooner.

    Not for two threads at a time.
    """

    def __init__(self, options: PlanOptions) -> None:
        self._options = options
        self._decisions: dict[str, _Decision] = {}

    def plan(self, read: ReadDocument) -> Plan:
        """What is polled and how. Devices that did not change have the very plans they had."""
        decisions: dict[str, _Decision] = {}

        def decide(device: DeviceConfig, place: DevicePlace, options: PlanOptions) -> DeviceOutcome:
            known = self._decisions.get(device.id)
            if known is None or not known.holds_for(device, place):
                known = _Decision(device, repr(device.connection), place, plan_device(device, place, options))
            decisions[device.id] = known
            return known.outcome

        plan = plan_document(read, self._options, decide)
        self._decisions = decisions
        return plan
