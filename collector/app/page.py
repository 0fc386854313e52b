"""The local page: what it is given to show."""

from collector.app.site import Collector, Site
from collector.config.sync import ConfigSync
from collector.status.heartbeat import Heartbeat
from collector.status.latest import Latest
from collector.status.machine import Machine, RestingMachine
from collector.status.recent import BufferTrace
from collector.web.sources import Sources


def page_sources(site: Site, collector: Collector, sync: ConfigSync, heartbeat: Heartbeat, machine: Machine) -> Sources:
    """What the local page shows, each thing where it is."""
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
        history=collector.history,
        alarms=collector.alarms,
        buffer_trace=BufferTrace(site.board.buffer, site.clock),
    )
