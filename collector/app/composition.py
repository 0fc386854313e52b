"""The one composition root: what is started, in which order, and how it unwinds.

Sinks start first and sources stop first: leaving the nested contexts is the drain order.
"""

import asyncio
import gc
import os
import random
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager, closing
from functools import partial

import structlog

from collector import BUILT_MS, __version__
from collector.app.commanding import Commanded, commands
from collector.app.observing import alarms, history
from collector.app.page import page_sources
from collector.app.sinks import put_everywhere, sinks, with_figures
from collector.app.site import Collector, Site
from collector.clock import SystemClock, iso_utc
from collector.commands.process import ProcessCommands
from collector.config.plan import Plan
from collector.config.planner import PlanOptions
from collector.config.source import ConfigSource
from collector.config.sync import ConfigSync
from collector.crashpoint import CrashPoint, passing
from collector.delivery.address import EdgeAddress, mqtt_options
from collector.delivery.certificate_watch import CertificateWatch
from collector.delivery.changes import Changes
from collector.delivery.encode import ScanEncoder
from collector.delivery.install import install_id
from collector.delivery.outbox import Outbox
from collector.delivery.publisher import Publisher
from collector.lean import without
from collector.polling.scan import Scan
from collector.polling.supervisor import Supervisor
from collector.settings import Settings
from collector.settings.environment import file_variables, renewed_secret
from collector.status.board import Board, DeviceCondition, DeviceState
from collector.status.clock_watch import ClockWatch
from collector.status.device_events import DeviceEvents
from collector.status.heartbeat import Heartbeat
from collector.status.insecure import show_insecure
from collector.status.logs import Log
from collector.status.machine import Machine
from collector.status.recent import RecentEvents, RecentLines
from collector.status.service_manager import ServiceManager
from collector.status.watchdog import Watchdog
from collector.storage.clock_seen import note_clock_seen, read_clock_seen
from collector.web.serving import serve_page
from fleet_client.copies import DocumentStore
from fleet_client.payloads import mark_buffered
from fleet_client.status import shutdown_status
from protocols import registry
from protocols.host.driver import HOST_ROOT
from protocols.tcp import DEVICE_NETWORKS

log = structlog.get_logger()

DRAIN_S = 4.0
SINK_DRAIN_S = 1.0
JUST_BOOTED_S = 300.0
THREAD_SLICE_S = 0.001
"""For so long a thread that packs the history may keep the event loop waiting, instead of Python's 5 ms, each time."""


async def run(settings: Settings, stop: asyncio.Event, written: Log, bound_end: Callable[[], None]) -> bool:
    """Collect until `stop` is set or a command wants it started again, then let go in order; whether it is the latter.

    `bound_end` is called when a command begins the end. Raises `DataFolderInUse`.
    """
    wanted_again = asyncio.Event()

    def restart() -> None:
        bound_end()
        wanted_again.set()

    collected = collecting(settings, ProcessCommands(written, restart), written)
    async with collected, asyncio.TaskGroup() as tasks:
        releasing = tasks.create_task(written.keep_releasing(), name="log")
        told = [tasks.create_task(event.wait(), name="end") for event in (stop, wanted_again)]
        await asyncio.wait(told, return_when=asyncio.FIRST_COMPLETED)
        for task in (releasing, *told):
            task.cancel()
        log.info("stopping", to_start_again=not stop.is_set())
    return not stop.is_set()


@asynccontextmanager
async def collecting(
    settings: Settings, process: ProcessCommands | None = None, written: Log | None = None
) -> AsyncIterator[Collector]:
    """A collector that runs as long as the context is open; the page shows what is `written` to the log.

    Without `process` no command reaches the process itself.
    """
    DEVICE_NETWORKS.set(settings.device_networks)
    HOST_ROOT.set(settings.host_root)
    clock = SystemClock()
    board = Board(clock)
    board.on_change += [log_change, _freezing_at_first_sight()]
    gc.freeze()  # all that was imported
    sys.setswitchinterval(THREAD_SLICE_S)
    log.info("starting", version=__version__, edge_id=settings.edge_id, data_dir=str(settings.data_dir))
    manager = ServiceManager(os.environ)
    lines, hide = (written.lines, written.hide) if written else (RecentLines(), _hide_nowhere)
    async with config_source(settings, hide) as source:
        address = EdgeAddress(settings, lambda: source.edge_id)
        site = Site(settings, clock, board, address, RecentEvents(clock), lines, hide)
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
            async with (
                sinks(site, collector),
                alarms(site, collector),
                history(site, collector),
                _composed(site, source, collector, process, manager),
            ):
                manager.ready()
                yield collector
                manager.stopping()


@asynccontextmanager
async def _composed(
    site: Site, source: ConfigSource, collector: Collector, process: ProcessCommands | None, manager: ServiceManager
) -> AsyncIterator[None]:
    settings, outbox = site.settings, collector.outbox
    address = None if settings.edge_ip_address is None else str(settings.edge_ip_address)
    machine = Machine(settings.data_dir, address, settings.host_root)
    publish = with_figures(site, collector, lambda body: publisher.publish_status(body), lambda: heartbeat.beats)
    heartbeat = _heartbeat(site, machine, publish)
    publisher = Publisher(
        outbox,
        mqtt_options(settings, site.hide),
        site.address,
        board=site.board,
        clock=site.clock,
        ready=collector.ready,
        on_connected=heartbeat.beat,
        on_command=lambda payload, retained: router.take(payload, retained),
        reconnect_max_s=settings.mqtt_reconnect_max_sec,
        live_first=settings.buffer_replay == "live_first",
        replay_rate=settings.buffer_replay_rate,
        install=install_id(settings.data_dir),
    )
    async with (
        _publishing(publisher, site, collector),
        _supervisor(site, collector, publisher.largest_body) as supervisor,
    ):
        sync = _config_sync(site, source, supervisor, publisher, collector)
        signs = {"outbox": outbox.answers, "publisher": publisher.answers}
        parts = Commanded(outbox, heartbeat, sync, supervisor, collector.clock_watch.in_doubt, process)
        async with commands(site, parts) as router:
            device_events = DeviceEvents(site.board, partial(site.tell, outbox), site.clock)
            await sync.start_from_copy()
            tasks = {
                "config sync": sync.run(),
                "heartbeat": heartbeat.run(sync.asked),
                "commands": router.run(),
                "clock watch": collector.clock_watch.run(),
                "device events": device_events.run(),
                "watchdog": Watchdog(manager, signs, site.clock).run(),
                "start jitter": _get_ready(sync.asked, collector.ready, settings, machine),
            }
            if settings.mqtt_cert_file is not None and settings.mqtt_broker_url.tls:
                tasks["certificate"] = CertificateWatch(settings.mqtt_cert_file, site.board, site.clock).run()
            if settings.http_port:
                tasks["page"] = serve_page(page_sources(site, collector, sync, heartbeat, machine))
            async with _running(tasks):
                yield


@asynccontextmanager
async def _running(sources: Mapping[str, Coroutine[None, None, None]]) -> AsyncIterator[None]:
    """Tasks by name, until the context ends; a fault in one ends the process."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(source, name=name) for name, source in sources.items()]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()


async def _clock_watch(site: Site, outbox: Outbox) -> ClockWatch:
    data_dir = site.settings.data_dir
    return ClockWatch(
        site.clock,
        site.board,
        built_ms=BUILT_MS,
        seen_ms=await asyncio.to_thread(read_clock_seen, data_dir),
        remember=partial(note_clock_seen, data_dir),
        tell=partial(site.tell, outbox),
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


def _supervisor(site: Site, collector: Collector, largest_body: Callable[[str], int]) -> Supervisor:
    return Supervisor(
        clock=site.clock,
        board=site.board,
        deliver=_delivery(site, collector, largest_body),
        driver_of=partial(registry.driver, state_folder=site.settings.data_dir),
    )


def _config_sync(
    site: Site, source: ConfigSource, supervisor: Supervisor, publisher: Publisher, collector: Collector
) -> ConfigSync:
    settings, board = site.settings, site.board

    def apply(plan: Plan) -> None:
        for follow in collector.on_plan:
            follow(plan)
        supervisor.apply(plan)
        gc.freeze()  # see _freezing_at_first_sight
        show_insecure(board, settings, (device.connection for device in plan.devices))

    show_insecure(board, settings, ())
    return ConfigSync(
        source,
        DocumentStore(settings.data_dir / "config", on_half=partial(passing, CrashPoint.IN_CONFIG_WRITE)),
        plan_options(settings),
        apply,
        fixed_id=settings.edge_id_fixed,
        interval_s=settings.config_sync_interval_sec,
        clock=site.clock,
        board=board,
        probation_s=settings.config_probation_sec,
        on_other_spelling=publisher.renew,
        on_server_time=collector.clock_watch.heard,
        tell=partial(site.tell, collector.outbox),
    )


@asynccontextmanager
async def _publishing(publisher: Publisher, site: Site, collector: Collector) -> AsyncIterator[None]:
    def farewell() -> bytes:
        return shutdown_status(site.settings.company_code, iso_utc(site.clock.wall_ms()))

    async with asyncio.TaskGroup() as sinks:
        publishing = sinks.create_task(publisher.run(), name="publisher")
        try:
            yield
        finally:
            further = (sink.courier.drain(SINK_DRAIN_S) for sink in collector.sinks)
            await asyncio.gather(publisher.drain(DRAIN_S, farewell), *further)
            publishing.cancel()


@asynccontextmanager
async def config_source(settings: Settings, hide: Callable[[str], None] | None = None) -> AsyncIterator[ConfigSource]:
    """The Fleet server or the file that the settings name; `hide` is told each token that its file comes to have."""
    if settings.edge_config_file is not None and settings.edge_config_source == "file":
        from collector.config.file import FileSource

        file = FileSource(settings.edge_config_file, settings.edge_id, file_variables(settings.env_file, os.environ))
        with closing(file):
            yield file
        return
    assert settings.edge_server_url is not None  # noqa: S101 - the settings insist on it for every other source
    with without("click"):  # which httpx has for a command of its own, and rich and pygments with it
        from collector.config.api import ApiSource  # httpx is loaded only where a server is the source
    token = settings.edge_api_token
    async with ApiSource(
        settings.edge_server_url.base,
        settings.edge_id,
        token=token.get_secret_value() if token else None,
        ca_file=settings.edge_api_ca_file,
        trust_env=settings.trust_env,
        fixed_id=settings.edge_id_fixed,
    ) as client:
        client.renewed_token = partial(renewed_secret, settings.secret_files.get("EDGE_API_TOKEN"), hide)
        yield client


async def _get_ready(asked: asyncio.Event, ready: asyncio.Event, settings: Settings, machine: Machine) -> None:
    """Connect once the edge id is settled; after a power cut not at the same moment as all the others."""
    await asked.wait()
    if settings.start_jitter_sec and machine.uptime_s() < JUST_BOOTED_S:
        await asyncio.sleep(random.uniform(0, settings.start_jitter_sec))  # noqa: S311
    ready.set()


def _delivery(site: Site, collector: Collector, largest_body: Callable[[str], int]) -> Callable[[Scan], None]:
    settings, outbox, put = site.settings, collector.outbox, put_everywhere(collector)
    changes = Changes(site.clock, send_empty=settings.data_on_error == "empty")
    encoder = ScanEncoder(
        topic=lambda: site.address.topics.data,
        epoch=outbox.epoch,
        next_seq=outbox.next_seq,
        meta=settings.payload_meta == "body",
        send_empty=settings.data_on_error == "empty",
        clock_in_doubt=collector.clock_watch.in_doubt,
        max_bytes=largest_body,
    )

    def deliver(scan: Scan) -> None:
        published = changes.of(scan)
        for seq, message in encoder.messages(published) if published else ():
            put(message, seq=seq, stamp_ms=scan.stamp_ms)
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


def _hide_nowhere(secret: str) -> None:
    """There is no log that could tell it."""


def _freezing_at_first_sight() -> Callable[[DeviceState], None]:
    """Keep what lives on out of full garbage collections, which would hold up the loop for longer than it may stand.

    That is the plan, and once a device is online its driver's library. Only the first time that it is: what is
    garbage at that moment stays for good.
    """
    seen: set[str] = set()

    def freeze(device: DeviceState) -> None:
        if device.condition is DeviceCondition.ONLINE and device.id not in seen:
            seen.add(device.id)
            gc.freeze()

    return freeze


def log_change(device: DeviceState) -> None:
    """A line when a device changes its condition."""
    if device.condition in (DeviceCondition.ONLINE, DeviceCondition.PAUSED, DeviceCondition.DISABLED):
        log.info(f"device is {device.condition}", device=device.name, id=device.id, _thing="device")
    else:
        log.warning(
            f"device is {device.condition}", device=device.name, id=device.id, reason=device.error, _thing="device"
        )
