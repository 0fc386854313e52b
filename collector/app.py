"""The one composition root: what is started, in which order, and how it unwinds.

Sinks start first and sources stop first: leaving the nested contexts is the drain order.
"""

import asyncio
import os
import random
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

import structlog

from collector import __version__
from collector.clock import Clock, SystemClock, iso_utc
from collector.commands.handlers import ConfigCommands, StatusCommands
from collector.commands.router import Router
from collector.config.plan import Plan
from collector.config.planner import PlanOptions
from collector.config.source import ApiSource, ConfigSource
from collector.config.sync import ConfigSync
from collector.crashpoint import CrashPoint, passing
from collector.delivery.address import EdgeAddress, mqtt_options
from collector.delivery.changes import Changes
from collector.delivery.encode import ScanEncoder
from collector.delivery.message import Message
from collector.delivery.outbox import Outbox
from collector.delivery.publisher import Publisher
from collector.polling.scan import Scan
from collector.polling.supervisor import Supervisor
from collector.settings import Settings
from collector.status.board import Board, DeviceCondition, DeviceState
from collector.status.heartbeat import Heartbeat
from collector.status.insecure import show_insecure
from collector.status.machine import Machine
from fleet_client.copies import DocumentStore
from fleet_client.events import event_body
from fleet_client.payloads import mark_buffered
from fleet_client.status import shutdown_status
from protocols import registry

log = structlog.get_logger()

DRAIN_S = 4.0
JUST_BOOTED_S = 300.0


@dataclass(slots=True)
class Collector:
    """A running collector, for those who look at it from within the same process."""

    board: Board
    outbox: Outbox
    on_scan: list[Callable[[Scan], None]]


async def run(settings: Settings, stop: asyncio.Event) -> None:
    """Collect until `stop` is set, then let go in order. Raises `DataFolderInUse`."""
    async with collecting(settings):
        await stop.wait()
        log.info("stopping")


@asynccontextmanager
async def collecting(settings: Settings) -> AsyncIterator[Collector]:
    """A collector that runs as long as the context is open."""
    clock = SystemClock()
    board = Board(clock)
    board.on_change.append(_log_change)
    log.info("starting", version=__version__, edge_id=settings.edge_id, data_dir=str(settings.data_dir))
    async with config_source(settings) as source:
        address = EdgeAddress(settings, lambda: source.edge_id)
        async with Outbox.open(
            settings.data_dir / "outbox",
            commit_ms=settings.buffer_commit_ms,
            limit_bytes=settings.buffer_max_mb << 20,
            clock=clock,
            board=board,
            mark_buffered=mark_buffered,
            event_letter=_event_writer(settings, address, clock),
        ) as outbox:
            collector = Collector(board, outbox, [])
            async with _composed(settings, source, address, collector, clock):
                yield collector


@asynccontextmanager
async def _composed(
    settings: Settings, source: ConfigSource, address: EdgeAddress, collector: Collector, clock: Clock
) -> AsyncIterator[None]:
    board, outbox = collector.board, collector.outbox
    machine = Machine(settings.data_dir, None if settings.edge_ip_address is None else str(settings.edge_ip_address))
    ready = asyncio.Event()
    heartbeat = Heartbeat(
        board,
        machine,
        lambda payload: publisher.publish_status(payload),
        clock=clock,
        company_code=settings.company_code,
        interval_s=settings.heartbeat_interval_sec,
        all_devices=settings.heartbeat_detail == "full",
    )
    publisher = Publisher(
        outbox,
        mqtt_options(settings),
        address,
        board=board,
        clock=clock,
        ready=ready,
        on_connected=heartbeat.beat,
        on_command=lambda payload, retained: router.take(payload, retained),
        reconnect_max_s=settings.mqtt_reconnect_max_sec,
    )
    async with (
        _publishing(publisher, lambda: shutdown_status(settings.company_code, iso_utc(clock.wall_ms()))),
        Supervisor(
            clock=clock,
            board=board,
            deliver=_delivery(settings, address, collector, clock),
            driver_of=partial(registry.driver, state_folder=settings.data_dir),
        ) as supervisor,
    ):

        def apply(plan: Plan) -> None:
            supervisor.apply(plan)
            show_insecure(board, settings, (device.connection for device in plan.devices))

        show_insecure(board, settings, ())
        sync = ConfigSync(
            source,
            DocumentStore(settings.data_dir / "config", partial(passing, CrashPoint.IN_CONFIG_WRITE)),
            plan_options(settings),
            apply,
            fixed_id=settings.edge_id_fixed,
            interval_s=settings.config_sync_interval_sec,
            clock=clock,
            board=board,
            on_other_spelling=publisher.renew,
        )
        router = Router(
            {**StatusCommands(board, heartbeat).handlers(), **ConfigCommands(sync).handlers()},
            lambda body: outbox.put_letter(Message(address.topics.responses, body)),
            clock=clock,
            max_age_ms=int(settings.command_max_age_sec * 1000),
            require_timestamp=settings.command_require_timestamp,
        )
        await sync.start_from_copy()
        async with asyncio.TaskGroup() as sources:
            tasks = [
                sources.create_task(sync.run(), name="config sync"),
                sources.create_task(heartbeat.run(sync.asked), name="heartbeat"),
                sources.create_task(router.run(), name="commands"),
                sources.create_task(_get_ready(sync.asked, ready, settings, machine), name="start jitter"),
            ]
            try:
                yield
            finally:
                for task in tasks:
                    task.cancel()


@asynccontextmanager
async def _publishing(publisher: Publisher, farewell: Callable[[], bytes]) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as sinks:
        publishing = sinks.create_task(publisher.run(), name="publisher")
        try:
            yield
        finally:
            await publisher.drain(DRAIN_S, farewell)
            publishing.cancel()


@asynccontextmanager
async def config_source(settings: Settings) -> AsyncIterator[ConfigSource]:
    """The Fleet server or the file that the settings name."""
    if settings.edge_config_file is not None and settings.edge_config_source == "file":
        from collector.config.file import FileSource  # YAML is loaded only where a file is the source

        yield FileSource(settings.edge_config_file, settings.edge_id, os.environ)
        return
    assert settings.edge_server_url is not None  # noqa: S101 - the settings insist on it for every other source
    token = settings.edge_api_token
    async with ApiSource(
        settings.edge_server_url.base,
        settings.edge_id,
        token=token.get_secret_value() if token else None,
        ca_file=settings.edge_api_ca_file,
        trust_env=settings.trust_env,
        fixed_id=settings.edge_id_fixed,
    ) as client:
        yield client


async def _get_ready(asked: asyncio.Event, ready: asyncio.Event, settings: Settings, machine: Machine) -> None:
    """Connect once the edge id is settled; after a power cut not at the same moment as all the others."""
    await asked.wait()
    if settings.start_jitter_sec and machine.uptime_s() < JUST_BOOTED_S:
        await asyncio.sleep(random.uniform(0, settings.start_jitter_sec))  # noqa: S311
    ready.set()


def _delivery(settings: Settings, address: EdgeAddress, collector: Collector, clock: Clock) -> Callable[[Scan], None]:
    outbox = collector.outbox
    changes = Changes(clock, send_empty=settings.data_on_error == "empty")
    encoder = ScanEncoder(
        topic=lambda: address.topics.data,
        epoch=outbox.epoch,
        next_seq=outbox.next_seq,
        meta=settings.payload_meta == "body",
        send_empty=settings.data_on_error == "empty",
    )

    def deliver(scan: Scan) -> None:
        published = changes.of(scan)
        for seq, message in encoder.messages(published) if published else ():
            outbox.put(message, seq=seq, stamp_ms=scan.stamp_ms)
        for look in collector.on_scan:
            look(scan)

    return deliver


def _event_writer(
    settings: Settings, address: EdgeAddress, clock: Clock
) -> Callable[[str, Mapping[str, object]], Message | None]:
    def write(kind: str, fields: Mapping[str, object]) -> Message | None:
        if not settings.mqtt_events:
            return None
        return Message(address.topics.events, event_body(kind, iso_utc(clock.wall_ms()), fields))

    return write


def plan_options(settings: Settings) -> PlanOptions:
    """What the settings say about planning."""
    return PlanOptions(
        edge_id=settings.edge_id,
        plc_ethernet=settings.plc_ethernet,
        string_encoding=settings.string_encoding,
        device_networks=settings.device_networks,
    )


def _log_change(device: DeviceState) -> None:
    if device.condition in (DeviceCondition.ONLINE, DeviceCondition.DISABLED):
        log.info(f"device is {device.condition}", device=device.name, id=device.id)
    else:
        log.warning(f"device is {device.condition}", device=device.name, id=device.id, reason=device.error)
