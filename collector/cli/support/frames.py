"""The frames of one device: a connection of its own, and one read of its first tags."""

import asyncio

from collector.app import plan_options
from collector.cli.doctor.storage import belongs_to_us
from collector.clock import Clock
from collector.config.plan import DevicePlan, Plan
from collector.config.planner import plan_document
from collector.polling.frames import Frames
from collector.settings import Settings
from fleet_client.copies import DocumentStore
from fleet_client.reading import read_document
from protocols import registry
from protocols.base import Cycle, Negotiated, PlcDriver
from protocols.errors import RequestRefused, SessionError
from protocols.host.driver import HOST_ROOT
from protocols.overhearing import LISTENER
from protocols.tcp import DEVICE_NETWORKS

TAGS_READ = 100
_PATIENCE = 5
"""Timeouts: of all of it."""


def kept_plan(settings: Settings) -> Plan | None:
    """What the last good document says. Raises `FleetError` for one that can not be used any more."""
    kept = DocumentStore(settings.data_dir / "config").load()
    if kept is None:
        return None
    return plan_document(read_document(kept.body, expected_edge_ids=None), plan_options(settings))


async def frames_of(device: DevicePlan, settings: Settings, clock: Clock) -> str:
    """Each frame a line, and how it ended. A PLC with a single seat may be taken by the collector that runs."""
    DEVICE_NETWORKS.set(settings.device_networks)
    HOST_ROOT.set(settings.host_root)
    frames = Frames(clock)
    LISTENER.set(frames)
    state_folder = settings.data_dir if belongs_to_us(settings.data_dir) else None
    try:
        async with asyncio.timeout(_PATIENCE * device.connection.timeout_s):
            end = await _read(registry.driver(device.protocol, state_folder), device)
    except (SessionError, TimeoutError) as error:
        end = str(error) or "no answer in time"
    finally:
        LISTENER.set(None)
    where = f"{device.name}: {device.protocol} at {device.connection.where}"
    return "\n".join([where, *(frames.lines or ["nothing was overheard"]), end, ""])


async def _read(driver: PlcDriver, device: DevicePlan) -> str:
    connection = device.connection
    session = await driver.connect(connection)
    try:
        granted = session.granted(connection) if isinstance(session, Negotiated) else connection
        points = [driver.point(spec, connection) for spec in device.specs if spec is not None][:TAGS_READ]
        refusals = []
        for request in driver.compile(granted, points):
            try:
                await session.read(request, Cycle([None] * len(points)))
            except RequestRefused as refusal:
                refusals.append(str(refusal))
    finally:
        await session.close()
    return "\n".join(refusals) or f"{len(points)} tags were read"
