"""Looks at the PLCs and serial ports: connects, and lets go at once. Nothing is read or written but the greeting."""

import asyncio
import grp
import os
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

from collector.cli.doctor.finding import Finding, bad, good
from collector.config.plan import DevicePlan, Plan
from protocols import registry
from protocols.errors import Refused, SessionError
from protocols.modbus.connection import ModbusRtuConnection

AT_ONCE = 16
_PATIENCE = 3
"""Timeouts: of the name, the connection and the greeting."""


async def look_at_devices(plan: Plan, state_folder: Path | None) -> AsyncIterator[Finding]:
    """A line for each link, in the document's order; `AT_ONCE` are tried at a time."""
    links: dict[tuple[str, object], list[DevicePlan]] = {}
    for device in plan.devices:
        links.setdefault((device.protocol, device.connection.link), []).append(device)
    room = asyncio.Semaphore(AT_ONCE)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_connect(devices, state_folder, room)) for devices in links.values()]
        for task in tasks:
            yield await task


def look_at_serial_port(port: Path) -> Finding | None:
    """What keeps this user from a serial port; None where nothing does."""
    try:
        group = port.stat().st_gid
    except OSError as error:
        remedy = "is it plugged in? ls /dev/serial/by-id has names that stay; in a container it must be handed in"
        return bad("serial port", f"{port}: {error.strerror}", remedy)
    if os.access(port, os.R_OK | os.W_OK):
        return None
    return bad("serial port", f"{port} may not be used", f"usermod -aG {_group_name(group)} USER, and log in again")


async def _connect(devices: list[DevicePlan], state_folder: Path | None, room: asyncio.Semaphore) -> Finding:
    first = devices[0]
    subject = f"{first.name}{_others(devices[1:])}"
    if isinstance(first.connection, ModbusRtuConnection):
        finding = look_at_serial_port(Path(first.connection.line.port))
        if finding is not None:
            return finding
    where = f"{first.protocol} at {first.connection.where}"
    try:
        async with room, asyncio.timeout(_PATIENCE * first.connection.timeout_s):
            session = await registry.driver(first.protocol, state_folder).connect(first.connection)
            await session.close()
    except TimeoutError:
        return bad(subject, f"{where}: no answer", "is it switched on, and is there a firewall between?")
    except (SessionError, Refused) as error:
        return bad(
            subject, f"{where}: {error}", "its address, port and cable; a PLC with few seats may be taken by others"
        )
    return good(subject, f"{where} lets us in")


def _others(devices: Iterable[DevicePlan]) -> str:
    names = [device.name for device in devices]
    return f" and {len(names)} more on its link" if names else ""


def _group_name(number: int) -> str:
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)
