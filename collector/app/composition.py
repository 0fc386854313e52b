"""The one composition root: what is started, in which order, and how it unwinds.

Sinks start first and sources stop first: leaving the nested contexts is the drain order.
"""

import asyncio
import gc
import os
import random
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from functools import partial

import structlog

from collector import BUILT_MS, __version__
from collector.app.commanding import Commanded, commands
from collector.app.configuring import config_source, config_sync
from collector.app.delivering import delivery, publishing
from collector.app.devices import freezing_at_first_sight, log_change
from collector.app.observing import alarms, history
from collector.app.page import page_sources
from collector.app.sinks import sinks, with_figures
from collector.app.site import Collector, Site
from collector.clock import SystemClock
from collector.commands.process import ProcessCommands
from collector.config.source import ConfigSource
from collector.delivery.address import EdgeAddress, mqtt_options
from collector.delivery.certificate_watch import CertificateWatch
from collector.delivery.install import install_id
from collector.delivery.outbox import Outbox
from collector.delivery.publisher import Publisher
from collector.polling.supervisor import Supervisor
from collector.settings import Settings
from collector.status.board import Board
from collector.status.clock_watch import ClockWatch
from collector.status.device_events import DeviceEvents
from collector.status.heartbeat import Heartbeat
from collector.status.logs import Log
from collector.status.machine import Machine
from collector.status.recent import RecentEvents, RecentLines
from collector.status.service_manager import ServiceManager
from collector.status.watchdog import Watchdog
from collector.storage.clock_seen import note_clock_seen, read_clock_seen
from collector.web.serving import serve_page
from fleet_client.payloads import mark_buffered
from protocols import registry
from protocols.host.driver import HOST_ROOT
from protocols.tcp import DEVICE_NETWORKS

log = structlog.get_logger()

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
    board.on_change += [log_change, freezing_at_first_sight()]
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
        publishing(publisher, site, collector),
        _supervisor(site, collector, publisher.largest_body) as supervisor,
    ):
        sync = config_sync(site, source, supervisor, publisher, collector)
        signs = {"outbox": outbox.answers, "publisher": publisher.answers}
        further = {sink.name: sink.outbox for sink in collector.sinks}
        parts = Commanded(outbox, further, heartbeat, sync, supervisor, collector.clock_watch.in_doubt, process)
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
        deliver=delivery(site, collector, largest_body),
        driver_of=partial(registry.driver, state_folder=site.settings.data_dir),
    )


async def _get_ready(asked: asyncio.Event, ready: asyncio.Event, settings: Settings, machine: Machine) -> None:
    """Connect once the edge id is settled; after a power cut not at the same moment as all the others."""
    await asked.wait()
    if settings.start_jitter_sec and machine.uptime_s() < JUST_BOOTED_S:
        await asyncio.sleep(random.uniform(0, settings.start_jitter_sec))  # noqa: S311
    ready.set()


def _hide_nowhere(secret: str) -> None:
    """There is no log that could tell it."""
