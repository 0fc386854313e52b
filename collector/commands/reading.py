"""`read_tags`, `browse` and `test_connection`: what a person wants to know of a device now."""

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from collector.commands.devices import Devices
from collector.commands.outcome import CommandFailed, DeviceHandler
from collector.commands.params import node_of, tags_of
from collector.config.plan import DevicePlan
from collector.polling.desk import Desk
from fleet_client.commands import Command
from protocols.base import Remarking
from protocols.errors import Refused, RequestRefused
from protocols.opcua.addresses import NodeAddress, parse_address

MOST_CHILDREN = 1_000
GOOD = "good"


class _Child(Protocol):
    """A node as a device lists it; see `protocols.opcua.browsing.BrowsedNode`."""

    @property
    def name(self) -> str: ...

    @property
    def address(self) -> str: ...

    @property
    def kind(self) -> str: ...

    @property
    def data_type(self) -> str | None: ...


@runtime_checkable
class _Browsing(Protocol):
    """A session that can list what its device has."""

    async def browse(self, node: NodeAddress | None, timeout_s: float) -> Sequence[_Child]: ...


class ReadCommands:
    """Asks by the session that polls, between two polls."""

    def __init__(self, devices: Devices) -> None:
        self._devices = devices

    def handlers(self) -> dict[str, DeviceHandler]:
        """By the name of the command."""
        return {"read_tags": self._read_tags, "browse": self._browse, "test_connection": self._test_connection}

    async def _read_tags(self, command: Command) -> Mapping[str, object]:
        names = tags_of(command.params)
        station = self._devices.station(command.params)
        tags = {name: _position(station.plan, name) for name in names}

        async def read(desk: Desk) -> Mapping[str, object]:
            found = await desk.read(list(tags.values()))
            return {
                name: {
                    "value": found[tag].value,
                    "raw": found[tag].raw,
                    "quality": GOOD if (quality := found[tag].quality) is None else quality.value,
                }
                for name, tag in tags.items()
            }

        return await self._devices.carry_out(command, station, read)

    async def _browse(self, command: Command) -> Mapping[str, object]:
        station = self._devices.station(command.params)
        node = node_of(command.params)
        try:
            address = None if node is None else parse_address(node)
        except Refused as refusal:
            raise CommandFailed("rejected", "invalid_command", f"params.node: {refusal}") from None

        async def browse(desk: Desk) -> Mapping[str, object]:
            session = desk.session
            if not isinstance(session, _Browsing):
                message = f"{desk.plan.name} speaks {desk.plan.protocol}, which can not list what a device has"
                raise CommandFailed("rejected", "unsupported", message)
            async with desk.asking(f"children of {node or 'the topmost node'}"):
                children = await session.browse(address, desk.plan.connection.timeout_s)
            return {
                "children": [_told(child) for child in children[:MOST_CHILDREN]],
                "more": max(len(children) - MOST_CHILDREN, 0),
            }

        try:
            return await self._devices.carry_out(command, station, browse)
        except RequestRefused as refusal:
            raise CommandFailed("error", "device_error", str(refusal)) from None

    async def _test_connection(self, command: Command) -> Mapping[str, object]:
        station = self._devices.station(command.params)
        about: dict[str, object] = {"where": station.plan.connection.where, "protocol": station.plan.protocol}

        async def ask(desk: Desk) -> Mapping[str, object]:
            began = desk.clock.monotonic()
            refusal = await desk.ask()
            took_ms = (desk.clock.monotonic() - began) * 1000
            remark = desk.session.remark if isinstance(desk.session, Remarking) else None
            return {"reachable": True, "round_trip_ms": round(took_ms, 1), "says": refusal or remark}

        try:
            return {**about, **await self._devices.carry_out(command, station, ask, insistent=True)}
        except CommandFailed as failure:
            if failure.code not in ("device_offline", "timeout"):
                raise
            return {**about, "reachable": False, "error": str(failure)}


def _position(plan: DevicePlan, name: str) -> int:
    if name not in plan.names:
        raise CommandFailed("rejected", "unknown_tag", f"{plan.name} has no tag {name!r} that is polled")
    return plan.names.index(name)


def _told(child: _Child) -> dict[str, object]:
    return {"name": child.name, "address": child.address, "kind": child.kind, "data_type": child.data_type}
