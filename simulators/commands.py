"""The simulators from the command line, each in the foreground until SIGINT or SIGTERM."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from simulators.broker import EmbeddedBroker
from simulators.edge import MadeUpEdge
from simulators.fleet import FleetServer
from simulators.foreground import Echo, stay
from simulators.modbus import ModbusPlc, demo_layout
from simulators.s7 import S7Plc
from simulators.s7 import demo_layout as s7_layout
from simulators.switchboard import Switchboard
from simulators.xgt import XgtPlc, demo_memory, family_of


async def run_modbus(
    *,
    echo: Echo,
    host: str = "127.0.0.1",
    port: int = 5020,
    unit_id: int = 1,
    faults: Sequence[str] = (),
    stop: asyncio.Event | None = None,
) -> None:
    """A press line's PLC. `faults` are orders like ``slow_s=2``, which may also be typed while it runs.

    Raises `OSError` when the port is taken, `ValueError` for a fault that is not understood.
    """
    async with ModbusPlc(demo_layout(unit_id), host=host, port=port) as plc:
        opening = (
            f"Modbus TCP PLC at {host}:{plc.port}, unit {unit_id}: a press line, e.g. 40001 UINT16 is a "
            "temperature in 0.1 °C. Faults: type e.g. silent, slow_s=2, dead@30, clear."
        )
        await _serve(plc, opening, lambda: plc.record.summary, faults, echo, stop)


async def run_opcua(
    *,
    echo: Echo,
    host: str = "127.0.0.1",
    port: int = 4840,
    faults: Sequence[str] = (),
    stop: asyncio.Event | None = None,
) -> None:
    """A filling line's OPC-UA server, open to anybody. `faults` as with `run_modbus`.

    Raises `OSError` when the port is taken, `ValueError` for a fault that is not understood.
    """
    from simulators.opcua import OpcUaPlc, demo_layout  # asyncua takes a while to load, and others do without it

    async with OpcUaPlc(demo_layout(), host=host, port=port) as plc:
        opening = (
            f"OPC-UA server at {plc.url}, without security: a filling line, e.g. ns=2;s=Filler.Temperature. "
            "Faults: type e.g. silent, slow_s=2, dead@30, clear."
        )
        await _serve(plc, opening, lambda: "", faults, echo, stop)


async def run_s7(
    *,
    echo: Echo,
    host: str = "127.0.0.1",
    port: int = 10102,
    pdu: int = 480,
    faults: Sequence[str] = (),
    stop: asyncio.Event | None = None,
) -> None:
    """A filling line's S7 CPU, at rack 0 slot 1 or any other. `faults` as for `run_modbus`.

    Raises `OSError` when the port is taken, `ValueError` for a fault that is not understood.
    """
    async with S7Plc(s7_layout(), host=host, port=port, pdu=pdu) as plc:
        opening = (
            f"Siemens S7 CPU at {host}:{plc.port}: a filling line, e.g. DB1.DBD8 FLOAT32 is a temperature in °C. "
            "Faults: type e.g. silent, put_get_off, slow_s=2, dead@30, clear."
        )
        await _serve(plc, opening, lambda: plc.record.summary, faults, echo, stop)


async def run_xgt(
    *,
    echo: Echo,
    host: str = "127.0.0.1",
    port: int = 2004,
    family: str = "xgk",
    faults: Sequence[str] = (),
    stop: asyncio.Event | None = None,
) -> None:
    """An assembly line's PLC. `faults` are orders like ``slow_s=2``, which may also be typed while it runs.

    Raises `OSError` when the port is taken, `ValueError` for a family or fault that is not understood.
    """
    kind = family_of(family)
    async with XgtPlc(demo_memory(), family=kind, host=host, port=port) as plc:
        opening = (
            f"XGT PLC at {host}:{plc.port}, family {kind.name}: an assembly line, e.g. %DW100 UINT16 is a "
            "temperature in 0.1 °C. Faults: type e.g. silent, stopped, slow_s=2, dead@30, clear."
        )
        await _serve(plc, opening, lambda: plc.record.summary, faults, echo, stop)


async def run_fleet(
    *,
    echo: Echo,
    host: str = "127.0.0.1",
    port: int = 8080,
    broker_url: str | None = None,
    document_file: Path | None = None,
    faults: Sequence[str] = (),
    stop: asyncio.Event | None = None,
) -> None:
    """A small Fleet server. With `broker_url` edges register by heartbeat and their rows are kept.

    Raises `OSError` when the port is taken, `ValueError` for a broker URL or fault that is not understood.
    """
    async with FleetServer(host=host, port=port, broker_url=broker_url, document_file=document_file) as fleet:
        for order in faults:
            fleet.faults.order(order)
        await stay(
            _fleet_opening(fleet, broker_url),
            lambda: _fleet_status(fleet),
            echo,
            stop=stop,
            obey=fleet.faults.order,
        )


async def run_broker(
    *, echo: Echo, host: str = "127.0.0.1", port: int = 1883, stop: asyncio.Event | None = None
) -> None:
    """An embedded MQTT 3.1.1 broker for trials.

    Raises `OSError` when the port is taken, `RuntimeError` when the extra `demo` is not installed.
    """
    async with EmbeddedBroker(host=host, port=port) as broker:
        opening = f"MQTT 3.1.1 broker at {broker.url} (set MQTT_BROKER_URL to it), open to anybody: for trials."
        await stay([opening], lambda: "running", echo, stop=stop)


async def run_edge(
    *,
    echo: Echo,
    broker_url: str,
    edge_id: str = "edge-test-001",
    interval_s: float = 1.0,
    stop: asyncio.Event | None = None,
) -> None:
    """A made-up edge that registers itself and sends values. Raises `ValueError` for a bad broker URL."""
    async with MadeUpEdge(edge_id, broker_url, interval_s=interval_s) as edge:
        where = _without_password(broker_url)
        opening = f"Edge {edge_id} sends heartbeats and values to {where}; it answers ping."

        def status() -> str:
            connected = "connected" if edge.link.connected else f"not connected: {edge.link.error}"
            sent = f"{edge.heartbeats} heartbeats, {edge.data_messages} data messages"
            return f"{sent} sent, {edge.commands} commands received, {connected}"

        await stay([opening], status, echo, stop=stop)


class _Simulated(Protocol):
    @property
    def faults(self) -> Switchboard: ...

    @property
    def open_connections(self) -> int: ...


async def _serve(
    plc: _Simulated,
    opening: str,
    summary: Callable[[], str],
    faults: Sequence[str],
    echo: Echo,
    stop: asyncio.Event | None,
) -> None:
    """Stay with a PLC that listens, whose `faults` may be switched by what is typed."""
    for order in faults:
        plc.faults.order(order)

    def status() -> str:
        active = ", ".join(plc.faults.active) or "none"
        return ", ".join(filter(None, (summary(), f"{plc.open_connections} connected", f"faults: {active}")))

    await stay([opening], status, echo, stop=stop, obey=plc.faults.order)


def _fleet_opening(fleet: FleetServer, broker_url: str | None) -> list[str]:
    lines = [
        f"Fleet server at {fleet.url} (set EDGE_SERVER_URL to it). "
        f"See {fleet.url}/api/fleet/v1/edges and …/edges/ID/latest, /data, /heartbeats; "
        "PUT …/edges/ID/config changes a config."
    ]
    if broker_url is None or fleet.listener is None:
        lines.append("No broker URL: edges can not register, only documents that name their edge are served.")
    elif not fleet.listener.connected:
        where = _without_password(broker_url)
        lines.append(f"The broker at {where} does not answer yet ({fleet.listener.error}); trying on.")
    if fleet.documents.file_error:
        lines.append(fleet.documents.file_error)
    return lines


def _fleet_status(fleet: FleetServer) -> str:
    store, record = fleet.store, fleet.record
    words = [
        f"{len(store.edges)} edges",
        f"{len(store.rows)} rows",
        f"{record.config_requests} config requests ({record.not_modified} unchanged)",
    ]
    if store.refused:
        words.append(f"{store.refused} messages refused, the last: {store.last_refused}")
    if fleet.documents.file_error:
        words.append(fleet.documents.file_error)
    if fleet.faults.active:
        words.append(f"faults: {', '.join(fleet.faults.active)}")
    return ", ".join(words)


def _without_password(url: str) -> str:
    scheme, mark, rest = url.rpartition("://")
    return f"{scheme}{mark}{rest.rpartition('@')[2]}"
