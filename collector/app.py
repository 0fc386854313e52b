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

from collector import BUILT_MS, __version__
from collector.clock import Clock, SystemClock, iso_utc
from collector.commands.handlers import ConfigCommands, StatusCommands
from collector.commands.router import Router
from collector.config.plan import Plan
from collector.config.planner import PlanOptions
from collector.config.source import ApiSource, ConfigSource
from collector.config.sync import ConfigSync
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
from collector.status.clock_watch import ClockWatch
from collector.status.heartbeat import Heartbeat
from collector.status.insecure import show_insecure
from collector.status.latest import Latest
from collector.status.logs import Log
from collector.status.machine import Machine, RestingMachine
from collector.status.recent import BufferTrace, RecentEvents, RecentLines
from collector.storage.clock_seen import note_clock_seen, read_clock_seen
from collector.web.serving import serve_page
from collector.web.sources import Sources
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
    clock_watch: ClockWatch
    on_scan: list[Callable[[Scan], None]]


@dataclass(frozen=True, slots=True)
class Site:
    """What every part is given: who we are, what is set, and where all write down what they see."""

    settings: Settings
    clock: Clock
    board: Board
    address: EdgeAddress
    events: RecentEvents
    lines: RecentLines

    def event(self, kind: str, fields: Mapping[str, object]) -> Message | None:
        """An event of a type, ready for the outbox; None when events are off."""
        self.events.note(kind, fields)
        if not self.settings.mqtt_events:
            return None
        return Message(self.address.topics.events, event_body(kind, iso_utc(self.clock.wall_ms()), fields))


async def run(settings: Settings, stop: asyncio.Event, written: Log) -> None:
    """Collect until `stop` is set, then let go in order. Raises `DataFolderInUse`."""
    async with collecting(settings, written.recent), asyncio.TaskGroup() as tasks:
        releasing = tasks.create_task(written.keep_releasing(), name="log")
        await stop.wait()
        releasing.cancel()
        log.info("stopping")


@asynccontextmanager
async def collecting(settings: Settings, lines: RecentLines | None = None) -> AsyncIterator[Collector]:
    """A collector that runs as long as the context is open; the page shows `lines` of the log."""
    clock = SystemClock()
    board = Board(clock)
    board.on_change.append(_log_change)
    log.info("starting", version=__version__, edge_id=settings.edge_id, data_dir=str(settings.data_dir))
    async with config_source(settings) as source:
        address = EdgeAddress(settings, lambda: source.edge_id)
        site = Site(settings, clock, board, address, RecentEvents(clock, board), lines or RecentLines())
        async with Outbox.open(
            settings.data_dir / "outbox",
            commit_ms=settings.buffer_commit_ms,
            limit_bytes=settings.buffer_max_mb << 20,
            clock=clock,
            board=board,
            mark_buffered=mark_buffered,
            event_letter=site.event,
        ) as outbox:
            watch = await _clock_watch(site, outbox)
            collector = Collector(board, outbox, watch, [])
            async with _composed(site, source, collector):
                yield collector


@asynccontextmanager
async def _composed(site: Site, source: ConfigSource, collector: Collector) -> AsyncIterator[None]:
    settings, outbox = site.settings, collector.outbox
    machine = Machine(settings.data_dir, None if settings.edge_ip_address is None else str(settings.edge_ip_address))
    ready = asyncio.Event()
    heartbeat = _heartbeat(site, machine, lambda payload: publisher.publish_status(payload))
    publisher = Publisher(
        outbox,
        mqtt_options(settings),
        site.address,
        board=site.board,
        clock=site.clock,
        ready=ready,
        on_connected=heartbeat.beat,
        on_command=lambda payload, retained: router.take(payload, retained),
        reconnect_max_s=settings.mqtt_reconnect_max_sec,
    )
    async with _publishing(publisher, site), _supervisor(site, collector) as supervisor:
        sync = _config_sync(site, source, supervisor, publisher, collector.clock_watch)
        router = _router(site, outbox, heartbeat, sync)
        await sync.start_from_copy()
        async with asyncio.TaskGroup() as sources:
            tasks = [
                sources.create_task(sync.run(), name="config sync"),
                sources.create_task(heartbeat.run(sync.asked), name="heartbeat"),
                sources.create_task(router.run(), name="commands"),
                sources.create_task(collector.clock_watch.run(), name="clock watch"),
                sources.create_task(_get_ready(sync.asked, ready, settings, machine), name="start jitter"),
            ]
            if settings.http_port:
                page = _page(site, collector, sync, heartbeat, machine)
                tasks.append(sources.create_task(serve_page(page), name="page"))
            try:
                yield
            finally:
                for task in tasks:
                    task.cancel()


def _page(site: Site, collector: Collector, sync: ConfigSync, heartbeat: Heartbeat, machine: Machine) -> Sources:
    latest = Latest(site.board.devices, site.clock)
    collector.on_scan.append(latest.look)
    return Sources(
        settings=site.settings,
        clock=site.clock,
        board=site.board,
        latest=latest,
        in_force=lambda: sync.in_force,
        figures=RestingMachine(machine, site.clock).figures,
        heartbeats=lambda: heartbeat.beats,
        events=site.events,
        lines=site.lines,
        buffer_trace=BufferTrace(site.board.buffer, site.clock),
    )


async def _clock_watch(site: Site, outbox: Outbox) -> ClockWatch:
    def tell(kind: str, fields: Mapping[str, object]) -> None:
        if letter := site.event(kind, fields):
            outbox.put_letter(letter)

    data_dir = site.settings.data_dir
    return ClockWatch(
        site.clock,
        site.board,
        built_ms=BUILT_MS,
        seen_ms=await asyncio.to_thread(read_clock_seen, data_dir),
        remember=partial(note_clock_seen, data_dir),
        tell=tell,
    )


def _heartbeat(site: Site, machine: Machine, publish: Callable[[bytes], None]) -> Heartbeat:
    return Heartbeat(
        site.board,
        machine,
        publish,
        clock=site.clock,
        company_code=site.settings.company_code,
        interval_s=site.settings.heartbeat_interval_sec,
        all_devices=site.settings.heartbeat_detail == "full",
    )


def _supervisor(site: Site, collector: Collector) -> Supervisor:
    return Supervisor(
        clock=site.clock,
        board=site.board,
        deliver=_delivery(site, collector),
        driver_of=partial(registry.driver, state_folder=site.settings.data_dir),
    )


def _config_sync(
    site: Site, source: ConfigSource, supervisor: Supervisor, publisher: Publisher, watch: ClockWatch
) -> ConfigSync:
    settings, board = site.settings, site.board

    def apply(plan: Plan) -> None:
        supervisor.apply(plan)
        show_insecure(board, settings, (device.connection for device in plan.devices))

    show_insecure(board, settings, ())
    return ConfigSync(
        source,
        DocumentStore(settings.data_dir / "config"),
        plan_options(settings),
        apply,
        fixed_id=settings.edge_id_fixed,
        interval_s=settings.config_sync_interval_sec,
        clock=site.clock,
        board=board,
        on_other_spelling=publisher.renew,
        on_server_time=watch.heard,
    )


def _router(site: Site, outbox: Outbox, heartbeat: Heartbeat, sync: ConfigSync) -> Router:
    return Router(
        {**StatusCommands(site.board, heartbeat).handlers(), **ConfigCommands(sync).handlers()},
        lambda body: outbox.put_letter(Message(site.address.topics.responses, body)),
        clock=site.clock,
        max_age_ms=int(site.settings.command_max_age_sec * 1000),
        require_timestamp=site.settings.command_require_timestamp,
    )


@asynccontextmanager
async def _publishing(publisher: Publisher, site: Site) -> AsyncIterator[None]:
    def farewell() -> bytes:
        return shutdown_status(site.settings.company_code, iso_utc(site.clock.wall_ms()))

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


def _delivery(site: Site, collector: Collector) -> Callable[[Scan], None]:
    settings, outbox = site.settings, collector.outbox
    changes = Changes(site.clock, send_empty=settings.data_on_error == "empty")
    encoder = ScanEncoder(
        topic=lambda: site.address.topics.data,
        epoch=outbox.epoch,
        next_seq=outbox.next_seq,
        meta=settings.payload_meta == "body",
        send_empty=settings.data_on_error == "empty",
        clock_in_doubt=collector.clock_watch.in_doubt,
    )

    def deliver(scan: Scan) -> None:
        published = changes.of(scan)
        for seq, message in encoder.messages(published) if published else ():
            outbox.put(message, seq=seq, stamp_ms=scan.stamp_ms)
        for look in collector.on_scan:
            look(scan)

    return deliver


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
        log.info(f"device is {device.condition}", device=device.name, id=device.id, _thing="device")
    else:
        log.warning(
            f"device is {device.condition}", device=device.name, id=device.id, reason=device.error, _thing="device"
        )
