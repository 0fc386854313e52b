"""The devices and tags of the document in force, with what is known of them beside their values."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from collector.config.in_force import InForce
from collector.config.plan import Plan, Thresholds
from fleet_client.document import DeviceConfig, Location, TagConfig
from fleet_client.reading import read_document
from fleet_client.topics import other_spelling


@dataclass(frozen=True, slots=True)
class TagEntry:
    """One tag: what it is called, where it is read, and what its values mean."""

    name: str
    address: str | None
    expression: str | None
    data_type: str | None
    unit: str
    description: str | None
    thresholds: Thresholds | None
    interval_ms: int


@dataclass(frozen=True, slots=True)
class DeviceEntry:
    """One device. `endpoint` is for the eye; tags that were refused are not in `tags`; the one that is read most
    often is read every `shortest_ms`."""

    id: str
    name: str
    protocol: str
    endpoint: str
    interval_ms: int
    location: Location
    tags: Mapping[str, TagEntry]
    shortest_ms: int = 0


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All devices, in the document's order."""

    devices: Mapping[str, DeviceEntry]

    def at(self, place: Location) -> Iterator[DeviceEntry]:
        """The devices at a place: what is None in it is not asked for."""
        asked = place.model_dump(exclude_none=True).items()
        for device in self.devices.values():
            if all(getattr(device.location, part) == name for part, name in asked):
                yield device


class Catalogues:
    """The catalogue of whichever document is in force, made when it is first asked for."""

    def __init__(self, in_force: Callable[[], InForce | None]) -> None:
        self._in_force = in_force
        self._made_of: str | None = None
        self._catalogue = Catalogue({})
        self._making = asyncio.Lock()

    async def now(self) -> Catalogue:
        """Empty while there is no document. A large document takes a thread a moment, once."""
        async with self._making:
            in_force = self._in_force()
            if in_force is not None and in_force.sha256 != self._made_of:
                self._catalogue = await asyncio.to_thread(catalogue_of, in_force)
                self._made_of = in_force.sha256
            return self._catalogue


def catalogue_of(in_force: InForce) -> Catalogue:
    """Pure; `in_force` was read and planned before, so it can be read again."""
    edge_id = in_force.plan.edge_id
    other = other_spelling(edge_id)
    read = read_document(in_force.body, expected_edge_ids=(edge_id, other) if other else (edge_id,))
    polled = {device.id: device for device in in_force.plan.devices}
    devices: dict[str, DeviceEntry] = {}
    for device in read.document.devices:
        plan = polled.get(device.id)
        names = None if plan is None else frozenset(plan.names)
        protocol = device.protocol if plan is None else plan.protocol
        limits = {} if plan is None else dict(plan.thresholds)
        tags = {
            tag.name: _tag(tag, device, limits.get(tag.name))
            for tag in device.tags
            if names is None or tag.name in names
        }
        devices[device.id] = DeviceEntry(
            device.id,
            device.name,
            protocol,
            _endpoint(device),
            device.interval_ms,
            device.location or Location(),
            tags,
            min((tag.interval_ms for tag in tags.values()), default=device.interval_ms),
        )
    return Catalogue(devices | _lost(in_force.plan, devices))


def _lost(plan: Plan, known: Mapping[str, DeviceEntry]) -> dict[str, DeviceEntry]:
    """Devices that could not even be read, as far as they have an id."""
    return {
        idle.id: DeviceEntry(idle.id, idle.name, "", "", 0, Location(), {})
        for idle in plan.idle
        if idle.id not in known
    }


def _tag(tag: TagConfig, device: DeviceConfig, thresholds: Thresholds | None) -> TagEntry:
    return TagEntry(
        tag.name,
        tag.address,
        tag.expression,
        tag.data_type,
        tag.unit,
        tag.description,
        thresholds,
        tag.interval_ms or device.interval_ms,
    )


def _endpoint(device: DeviceConfig) -> str:
    """Where it is reached."""
    fields = device.connection
    for name in ("endpoint", "endpoint_url", "url", "serial_port", "device"):
        if isinstance(text := fields.get(name), str):
            return _without_login(text)
    host = next((fields[name] for name in ("host", "ip", "address") if name in fields), "")
    port = f":{fields['port']}" if "port" in fields else ""
    unit = next((f" unit {fields[name]}" for name in ("unit_id", "slave_id", "station") if name in fields), "")
    return f"{_without_login(str(host))}{port}{unit}"


def _without_login(place: str) -> str:
    scheme, slashes, rest = place.rpartition("://")
    return scheme + slashes + rest.rpartition("@")[2]
