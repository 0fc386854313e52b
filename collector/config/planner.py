"""From a document to a plan. Pure: what is refused or read leniently becomes part of the plan, with its JSON path."""

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass

import structlog

from collector.config import tag_rules
from collector.config.computed import names_in_expressions, resolve_expressions
from collector.config.hosts import Network, check_host
from collector.config.plan import (
    DevicePlan,
    IdleDevice,
    Plan,
    PollGroup,
    ProtocolDoubt,
    Remark,
)
from collector.status.board import ConfigProblem
from fleet_client.document import DeviceConfig, TagConfig
from fleet_client.reading import DevicePlace, ReadDocument
from protocols import registry
from protocols.base import Connection, DataType, PlcDriver, Point, Register, Remarking, TagSpec
from protocols.datatypes import parse_byte_order, parse_data_type
from protocols.errors import Refused
from protocols.text import canonical_encoding

_TYPED_BY_DEVICE = frozenset({"host", "opcua"})
"""Protocols whose devices say themselves what type a value has: a tag need not."""
_TELLING = frozenset({"opcua"})
"""Protocols whose devices can tell a change by themselves: ``mode`` subscribe."""
_MOST_DIGITS = 20

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """What the gateway's own settings say about planning."""

    edge_id: str
    plc_ethernet: str = "auto"
    string_encoding: str = "utf-8"
    device_networks: tuple[Network, ...] = ()
    driver_of: Callable[[str], PlcDriver] = registry.driver


@dataclass(frozen=True, slots=True)
class DeviceOutcome:
    """What became of one device of a document, and what was refused of it and remarked on the way."""

    decided: DevicePlan | IdleDevice
    problems: tuple[ConfigProblem, ...] = ()
    remarks: tuple[Remark, ...] = ()


def plan_device(device: DeviceConfig, place: DevicePlace, options: PlanOptions) -> DeviceOutcome:
    """Decide how one device is polled, if at all. Never raises for what a document says."""
    if not device.enabled:
        return DeviceOutcome(IdleDevice(device.id, device.name, None))
    planner = _DevicePlanner(options)
    decided = planner.decide(device, place)
    return DeviceOutcome(decided, tuple(planner.problems), tuple(planner.remarks))


def plan_document(read: ReadDocument, options: PlanOptions) -> Plan:
    """Decide what is polled and how. Never raises for what a document says: bad parts are refused one by one."""
    places = zip(read.document.devices, read.places, strict=True)
    return assemble(read, options, [plan_device(device, place, options) for device, place in places])


def assemble(read: ReadDocument, options: PlanOptions, outcomes: Sequence[DeviceOutcome]) -> Plan:
    """The plan of a document, of whose devices these are the `outcomes`."""
    refused = tuple(ConfigProblem(refusal.path, refusal.code, refusal.message) for refusal in read.refusals)
    remarks = tuple(Remark(note.path, note.message) for note in read.notes)
    idle = (outcome.decided for outcome in outcomes if isinstance(outcome.decided, IdleDevice))
    return Plan(
        version=read.document.version,
        edge_id=read.document.edge_id or options.edge_id,
        edge_name=read.document.edge_name,
        devices=tuple(outcome.decided for outcome in outcomes if isinstance(outcome.decided, DevicePlan)),
        idle=(*idle, *(IdleDevice(lost.id, lost.name, lost.reason) for lost in read.lost)),
        problems=(*refused, *(problem for outcome in outcomes for problem in outcome.problems)),
        remarks=(*remarks, *(remark for outcome in outcomes for remark in outcome.remarks)),
        aggregation_interval_s=read.document.aggregation_interval_sec,
        local_retention_days=read.document.local_retention_days,
    )


@dataclass(frozen=True, slots=True)
class _Placed:
    """A tag that is read, as its driver knows it and where it lies."""

    tag: TagConfig
    spec: TagSpec
    point: Point


class _DevicePlanner:
    def __init__(self, options: PlanOptions) -> None:
        self._options = options
        self.problems: list[ConfigProblem] = []
        self.remarks: list[Remark] = []

    def decide(self, device: DeviceConfig, place: DevicePlace) -> DevicePlan | IdleDevice:
        try:
            return self._device(device, place)
        except Refused as refusal:
            self._refuse(f"{place.path}.{refusal.field}", refusal)
            return IdleDevice(device.id, device.name, str(refusal))
        except Exception as error:
            # An oversight of ours must cost this device, and never the configuration of all.
            log.exception("device can not be planned", device=device.id)
            reason = f"can not be planned: {type(error).__name__}"
            self.problems.append(ConfigProblem(place.path, "internal", reason))
            return IdleDevice(device.id, device.name, reason)

    def _device(self, device: DeviceConfig, place: DevicePlace) -> DevicePlan:
        protocol, disagreement = self._protocol(device, place)
        driver = self._options.driver_of(protocol)
        try:
            connection = driver.connection(device.connection, device.timeout_ms / 1000)
        except Refused as refusal:
            raise Refused(f"connection.{refusal.field}", str(refusal)) from None
        if isinstance(connection, Remarking) and connection.remark is not None:
            self.remarks.append(Remark(f"{place.path}.connection", connection.remark))
        if connection.host is not None:
            check_host(connection.host, self._options.device_networks)
        placed = self._points(driver, connection, device, place)
        if not placed:
            raise Refused("tags", "none of its tags can be polled")
        computed = resolve_expressions(device, place, [each.tag for each in placed])
        for path, why in computed.refusals:
            self._refuse(path, why)
        self.remarks += computed.remarks
        tags = [tag for tag in device.tags if tag.name in computed.names]
        positions = {tag.name: position for position, tag in enumerate(tags)}
        return DevicePlan(
            id=device.id,
            name=device.name,
            protocol=protocol,
            connection=connection,
            groups=_groups(driver, connection, device.interval_ms, placed, positions),
            names=tuple(positions),
            connection_id=device.connection_id,
            equipment_id=device.equipment_id,
            request_delay_s=device.request_delay_ms / 1000,
            computed=computed.placed(positions),
            labels=tag_rules.labels(tags),
            on_change=tag_rules.on_change(device, tags),
            doubt=None if disagreement is None else self._doubt(device, disagreement),
            write_rules=tag_rules.write_rules(tags),
            specs=_specs(placed, positions),
            thresholds=tag_rules.thresholds(tags),
        )

    def _protocol(self, device: DeviceConfig, place: DevicePlace) -> tuple[str, registry.Disagreement | None]:
        protocol = registry.canonical(device.protocol)
        if protocol != registry.PLC_ETHERNET:
            return protocol, None
        named = device.connection.get("protocol")
        addresses = [tag.address for tag in device.tags if tag.address is not None and tag.expression is None]
        resolved, disagreement = registry.resolve_plc_ethernet(
            None if named is None else str(named),
            self._options.plc_ethernet,
            addresses,
            _port(device.connection.get("port")),
        )
        if disagreement is not None:
            self.remarks.append(Remark(f"{place.path}.protocol", disagreement.message))
        return resolved, disagreement

    def _doubt(self, device: DeviceConfig, disagreement: registry.Disagreement) -> ProtocolDoubt:
        try:
            driver = self._options.driver_of(disagreement.by_port)
            connection = driver.connection(device.connection, device.timeout_ms / 1000)
        except Refused:
            return ProtocolDoubt(disagreement.by_port, disagreement.message, None)
        return ProtocolDoubt(disagreement.by_port, disagreement.message, connection)

    def _points(
        self, driver: PlcDriver, connection: Connection, device: DeviceConfig, place: DevicePlace
    ) -> list[_Placed]:
        placed: list[_Placed] = []
        reckoned_with = names_in_expressions(device) if device.publish == "on_change" else frozenset()
        for tag, path in zip(device.tags, place.tags, strict=True):
            if tag.expression is not None:
                continue
            try:
                spec = self._spec(tag, driver.protocol, device, reckoned_with)
                placed.append(_Placed(tag, spec, driver.point(spec, connection)))
            except Refused as refusal:
                self._refuse(f"{path}.{refusal.field}", refusal)
                continue
            if tag.mode == "subscribe" and driver.protocol not in _TELLING:
                self.remarks.append(Remark(f"{path}.mode", _polled_instead(driver.protocol)))
        return placed

    def _spec(self, tag: TagConfig, protocol: str, device: DeviceConfig, reckoned_with: Set[str]) -> TagSpec:
        if tag.address is None:
            raise Refused("address", "the address is missing")
        return TagSpec(
            name=tag.name,
            address=tag.address,
            data_type=_data_type(tag, protocol),
            byte_order=parse_byte_order(tag.byte_order),
            scale=tag.scale,
            offset=tag.offset,
            length=tag.length,
            bit=tag.bit,
            register=Register(tag.register_) if tag.register_ else None,
            encoding=canonical_encoding(tag.encoding) if tag.encoding else self._options.string_encoding,
            subscribe=tag.mode == "subscribe" and protocol in _TELLING,
            deadband=tag.deadband
            if device.publish == "on_change" and not _watched_closely(tag, reckoned_with)
            else None,
            interval_ms=tag.interval_ms or device.interval_ms,
        )

    def _refuse(self, path: str, refusal: Refused) -> None:
        field = refusal.field.rpartition(".")[2]
        self.problems.append(ConfigProblem(path, f"bad_{field}", str(refusal)))


def _watched_closely(tag: TagConfig, reckoned_with: Set[str]) -> bool:
    """Whether somebody must see its every value, or judges a change by more than a distance: a device must not."""
    return tag.thresholds is not None or tag.deadband_percent is not None or tag.name in reckoned_with


def _port(sent: object) -> int | None:
    """The port as far as it helps to guess the protocol; whether it is valid is the driver's to say."""
    text = str(sent)
    return int(text) if len(text) <= _MOST_DIGITS and text.isascii() and text.isdigit() else None


def _polled_instead(protocol: str) -> str:
    return f"{protocol} knows no subscriptions: the tag is polled; expected poll, or a device of opcua"


def _data_type(tag: TagConfig, protocol: str) -> DataType:
    if tag.data_type is not None:
        return parse_data_type(tag.data_type)
    if tag.bit is not None:
        return DataType.BOOL
    if protocol in _TYPED_BY_DEVICE:
        return DataType.FLOAT64
    raise Refused("data_type", f"the data type is missing; expected one of {', '.join(DataType)}")


def _groups(
    driver: PlcDriver,
    connection: Connection,
    interval_ms: int,
    placed: Sequence[_Placed],
    positions: Mapping[str, int],
) -> tuple[PollGroup, ...]:
    """One group an interval, the device's own interval first."""
    by_interval: dict[int, list[tuple[int, Point]]] = {}
    for each in placed:
        members = by_interval.setdefault(each.tag.interval_ms or interval_ms, [])
        members.append((positions[each.tag.name], each.point))
    order = sorted(by_interval, key=lambda interval: (interval != interval_ms, interval))
    return tuple(_group(driver, connection, interval, by_interval[interval]) for interval in order)


def _group(
    driver: PlcDriver, connection: Connection, interval_ms: int, members: Sequence[tuple[int, Point]]
) -> PollGroup:
    points = tuple(point for _, point in members)
    tags = tuple(position for position, _ in members)
    return PollGroup(interval_ms, tags, points, driver.compile(connection, points))


def _specs(placed: Sequence[_Placed], positions: Mapping[str, int]) -> tuple[TagSpec | None, ...]:
    spec_of = {each.tag.name: each.spec for each in placed}
    return tuple(spec_of.get(name) for name in positions)
