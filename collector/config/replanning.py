"""Plans one document after the other, and decides anew only about the devices that changed in between."""

from collections.abc import Collection
from dataclasses import dataclass
from hashlib import sha256

from collector.config.plan import Plan
from collector.config.planner import DeviceOutcome, PlanOptions, assemble, plan_device
from fleet_client.document import DeviceConfig
from fleet_client.reading import DevicePlace, ReadDocument, read_devices


@dataclass(frozen=True, slots=True)
class _Decision:
    fingerprint: bytes
    outcome: DeviceOutcome


class Replanner:
    """`plan_document` with a memory of the document before; the result is the same, only sooner.

    It remembers what it decided, and of what it was decided about no more than a fingerprint. Not for two threads at
    a time.
    """

    def __init__(self, options: PlanOptions) -> None:
        self._options = options
        self._decisions: dict[str, _Decision] = {}

    def plan_body(self, body: bytes, *, expected_edge_ids: Collection[str] | None) -> Plan:
        """What is polled and how. Devices that did not change have the very plans they had.

        Reads and decides device by device, so that a large document takes little memory. Raises `NotAConfig` as
        `read_document` does.
        """
        decisions: dict[str, _Decision] = {}

        def take(device: DeviceConfig, place: DevicePlace) -> None:
            decisions[device.id] = self._decide(device, place)

        read = read_devices(body, expected_edge_ids=expected_edge_ids, take=take)
        return self._planned(read, decisions)

    def plan(self, read: ReadDocument) -> Plan:
        """The same of a document that was read as a whole."""
        places = zip(read.document.devices, read.places, strict=True)
        return self._planned(read, {device.id: self._decide(device, place) for device, place in places})

    def _decide(self, device: DeviceConfig, place: DevicePlace) -> _Decision:
        known, fingerprint = self._decisions.get(device.id), _fingerprint(device, place)
        if known is not None and known.fingerprint == fingerprint:
            return known
        return _Decision(fingerprint, plan_device(device, place, self._options))

    def _planned(self, read: ReadDocument, decisions: dict[str, _Decision]) -> Plan:
        self._decisions = decisions
        return assemble(read, self._options, [decision.outcome for decision in decisions.values()])


def _fingerprint(device: DeviceConfig, place: DevicePlace) -> bytes:
    """The same only where nothing differs that a decision could depend on, its JSON paths included."""
    fields = device.model_dump_json(exclude={"connection"}, exclude_defaults=True)
    # A connection holds what the server sent: 1, 1.0 and true are not the same there.
    connection = repr(device.connection).encode("utf-8", "backslashreplace")
    return sha256(b"\n".join((fields.encode(), connection, repr(place).encode()))).digest()
