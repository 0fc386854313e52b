"""Which protocols there are, by which names, and which driver speaks each.

An explicit table with lazy import: what a site does not use costs it nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import cast

from protocols import grammars
from protocols.base import PlcDriver
from protocols.datatypes import bare_name
from protocols.errors import Refused

PLC_ETHERNET = "plc_ethernet"
"""Not a protocol but "a PLC on Ethernet": `resolve_plc_ethernet` finds out which."""

_DRIVERS = {
    "modbus_tcp": "protocols.modbus.driver:ModbusTcpDriver",
    "modbus_rtu": "protocols.modbus.driver:ModbusRtuDriver",
    "modbus_rtu_tcp": "protocols.modbus.driver:ModbusRtuTcpDriver",
    "opcua": "protocols.opcua.driver:OpcUaDriver",
    "s7": "protocols.s7.driver:S7Driver",
    "xgt": "protocols.xgt.driver:XgtDriver",
    "host": "protocols.host.driver:HostDriver",
}
_KEEPS_STATE = frozenset({"opcua"})
_ALIASES = {
    "modbus": "modbus_tcp",
    "siemens_s7": "s7",
    "xgt_fenet": "xgt",
    "ls_xgt": "xgt",
}
_NAMES = {bare_name(name): name for name in (*_DRIVERS, PLC_ETHERNET)} | {
    bare_name(alias): name for alias, name in _ALIASES.items()
}
_PORTS = {502: "modbus_tcp", 2004: "xgt", 102: "s7", 4840: "opcua"}


def canonical(name: str) -> str:
    """The protocol that a name means, `plc_ethernet` included. Raises `Refused` on ``protocol``."""
    protocol = _NAMES.get(bare_name(name))
    if protocol is None:
        known = ", ".join((*_DRIVERS, PLC_ETHERNET))
        raise Refused("protocol", f"{name!r} is not a known protocol; expected one of {known}")
    return protocol


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A port that is known for another protocol than the one that the addresses are written in."""

    by_port: str
    message: str


@cache
def driver(protocol: str, state_folder: Path | None = None) -> PlcDriver:
    """The one driver of a protocol, by any of its names. Raises `Refused` on ``protocol``.

    A driver that keeps something (certificates) does so in a folder of its own in `state_folder`.
    Its connections, points and requests are its own: whoever holds several drivers must not mix them.
    """
    name = canonical(protocol)
    if name == PLC_ETHERNET:
        raise Refused("protocol", f"{PLC_ETHERNET} is no protocol yet: it stands for one that must be found out")
    module, _, class_name = _DRIVERS[name].partition(":")
    make = getattr(import_module(module), class_name)
    kept = {"state_folder": state_folder / name} if state_folder and name in _KEEPS_STATE else {}
    return cast("PlcDriver", make(**kept))


def resolve_plc_ethernet(
    connection_protocol: str | None, setting: str, addresses: Iterable[str], port: int | None
) -> tuple[str, Disagreement | None]:
    """Which protocol a device of `plc_ethernet` speaks, and whether port and addresses disagree.

    The first of these that decides: `connection.protocol`; the `PLC_ETHERNET` setting unless ``auto``; the one
    grammar that all `addresses` fit (the port, where several do); the port. An address of no grammar at all
    has no say: it costs its own tag only. Raises `Refused` on ``protocol``.
    """
    for explicit in (connection_protocol, setting):
        if explicit and bare_name(explicit) not in ("", "AUTO", bare_name(PLC_ETHERNET)):
            return canonical(explicit), None
    by_port = _PORTS.get(port) if port is not None else None
    spoken = _common_grammars(addresses)
    if len(spoken) == 1:
        (by_grammar,) = spoken
        return by_grammar, _disagreement(by_grammar, by_port, port)
    if by_port is None or (spoken and by_port not in spoken):
        raise Refused("protocol", _undecided(spoken, port))
    return by_port, None


def _common_grammars(addresses: Iterable[str]) -> frozenset[str]:
    speakers = [speakers for address in addresses if (speakers := grammars.speakers(address))]
    return frozenset.intersection(*speakers) if speakers else frozenset()


def _disagreement(by_grammar: str, by_port: str | None, port: int | None) -> Disagreement | None:
    if by_port is None or by_port == by_grammar:
        return None
    return Disagreement(
        by_port,
        f"the addresses are those of {by_grammar}, but port {port} is that of {by_port}; {by_grammar} is spoken. "
        f"Set connection.protocol to say which it is",
    )


def _undecided(spoken: frozenset[str], port: int | None) -> str:
    fits = f"fit {' and '.join(sorted(spoken))} alike" if spoken else "fit no one protocol"
    by_port = "no port is given" if port is None else f"port {port} is that of {_PORTS.get(port, 'none')}"
    return (
        f"{PLC_ETHERNET} leaves open which protocol the device speaks: its addresses {fits}, and {by_port}. "
        f"Set connection.protocol"
    )
