"""From the board to a verdict: is all well, does anything flow, and what stands in the way."""

from collections import Counter
from collections.abc import Iterable

from collector import __version__
from collector.clock import iso_utc
from collector.status.board import BufferState, DeviceCondition, DeviceState
from collector.web import answers, reports
from collector.web.catalogue import Catalogue, DeviceEntry
from collector.web.sources import Sources

QUIET_AT_LEAST_S = 10.0
_OFF = (DeviceCondition.DISABLED, DeviceCondition.PAUSED)
_NOT_WRITTEN = frozenset({"storage_degraded", "storage_readonly"})


def iso(stamp_ms: int | None) -> str | None:
    """A stamp as the API writes it."""
    return None if stamp_ms is None else iso_utc(stamp_ms)


def health(sources: Sources, catalogue: Catalogue) -> reports.Health:
    """Never ok while nothing flows."""
    board = sources.board
    checks = {
        "values": _values(sources, catalogue),
        "devices": _devices(board.devices.values()),
        "broker": reports.Check(board.broker.connected, None if board.broker.connected else "no connection"),
        **readiness(sources).checks,
    }
    flows = checks["values"].ok and (checks["broker"].ok or checks["storage"].ok)
    wrong = any(not check.ok for check in checks.values())
    status = "failing" if not flows else "degraded" if wrong else "ok"
    return reports.Health(status, __version__, int(board.uptime_s()), checks)


def readiness(sources: Sources) -> reports.Readiness:
    """A configuration is applied and the outbox can write."""
    applied = sources.board.config.applied_ms is not None
    writes = _NOT_WRITTEN.isdisjoint(sources.board.conditions)
    checks = {
        "config": reports.Check(applied, None if applied else "no configuration is applied yet"),
        "storage": reports.Check(writes, None if writes else "the disk takes nothing"),
    }
    return reports.Readiness(applied and writes, checks)


def _values(sources: Sources, catalogue: Catalogue) -> reports.Check:
    wanted = [device for device in sources.board.devices.values() if device.condition not in _OFF]
    if not wanted:
        return reports.Check(False, "no device is to be polled")
    intervals = [
        entry.shortest_ms
        for device in wanted
        if (entry := catalogue.devices.get(device.id)) and device.condition is not DeviceCondition.REFUSED
    ]
    allowed_s = max(QUIET_AT_LEAST_S, 3 * min(intervals, default=0) / 1000)
    quiet_s = sources.latest.quiet_s()
    if quiet_s is None or quiet_s > allowed_s:
        return reports.Check(False, "no device gives a good value")
    return reports.Check(True)


def _devices(devices: Iterable[DeviceState]) -> reports.Check:
    wanted = [device for device in devices if device.condition not in _OFF]
    troubled = sum(device.condition is not DeviceCondition.ONLINE for device in wanted)
    return reports.Check(not troubled, f"{troubled} of {len(wanted)} in trouble" if troubled else None)


def status(sources: Sources, catalogue: Catalogue, *, changes: bool) -> reports.Status:
    """All of it at one look. `changes`: who asks may change thresholds and acknowledge."""
    board, settings = sources.board, sources.settings
    broker, config, figures = board.broker, board.config, sources.figures()
    return reports.Status(
        edge_id=settings.edge_id,
        edge_name=config.edge_name,
        version=__version__,
        timestamp=iso_utc(sources.clock.wall_ms()),
        time_zone=None if settings.site_tz is None else settings.site_tz.key,
        uptime_sec=int(board.uptime_s()),
        health=health(sources, catalogue),
        broker=reports.Broker(
            broker.connected, iso_utc(broker.since_ms), broker.url, broker.protocol, broker.connects, broker.error
        ),
        config=reports.ConfigBrief(
            config.version, config.source, iso(config.applied_ms), len(config.problems), config.error
        ),
        devices=_states(board.devices.values()),
        tags=sum(len(entry.tags) for entry in catalogue.devices.values()),
        buffer=buffer_now(sources),
        gateway=reports.Gateway(
            figures.cpu_percent,
            figures.memory_percent,
            figures.disk_percent,
            figures.temperature_c,
            figures.ip_address,
        ),
        history=sources.history is not None,
        changes=changes,
        alarms=_alarms(sources),
        conditions=[
            reports.Condition(held.code, iso_utc(held.since_ms), held.detail) for held in board.conditions.values()
        ],
    )


def buffer_now(sources: Sources) -> reports.BufferNow:
    """What waits for the broker."""
    return _buffer(sources.board.buffer, sources.settings.buffer_max_mb << 20)


def sinks_now(sources: Sources) -> list[reports.SinkNow]:
    """The further ways out."""
    return [
        reports.SinkNow(
            name, sink.where, sink.up, iso_utc(sink.since_ms), sink.error, _buffer(sink.buffer, sink.limit_bytes)
        )
        for name, sink in sources.board.sinks.items()
    ]


def _buffer(counts: BufferState, limit_bytes: int) -> reports.BufferNow:
    return reports.BufferNow(
        counts.messages,
        counts.bytes,
        iso(counts.oldest_ms),
        counts.recorded,
        counts.acknowledged,
        counts.dropped,
        limit_bytes,
    )


def device(state: DeviceState, entry: DeviceEntry | None) -> answers.Device:
    """One device and how it does."""
    place = entry.location if entry else None
    return answers.Device(
        id=state.id,
        name=state.name,
        protocol=entry.protocol if entry else "",
        endpoint=entry.endpoint if entry else "",
        location=answers.Place(
            *((place.factory, place.building, place.floor, place.zone) if place else (None, None, None, None))
        ),
        interval_ms=entry.interval_ms if entry else 0,
        state=state_of(state),
        since=iso_utc(state.since_ms),
        last_good=iso(state.last_good_ms),
        error=state.error,
        remark=state.remark,
        tags=len(entry.tags) if entry else 0,
        bad_tags=len(state.bad_tags),
        polls=state.polls,
        failures=state.failures,
        missed=state.missed,
        requests_per_cycle=state.requests_per_cycle,
    )


def state_of(state: DeviceState) -> str:
    """The device's state by its name; `waiting` until its first poll has ended."""
    return state.condition.value if state.known else "waiting"


def _states(devices: Iterable[DeviceState]) -> dict[str, int]:
    counted = Counter(state_of(state) for state in devices)
    return {"total": counted.total(), **counted}


def _alarms(sources: Sources) -> reports.AlarmCounts | None:
    if sources.alarms is None:
        return None
    active = sources.alarms.active()
    return reports.AlarmCounts(len(active), sum(alarm.acknowledged_ms is None for alarm in active))
