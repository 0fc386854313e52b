"""What Prometheus reads: taken from the board when it asks, and from nowhere else.

Labels are devices (at most a thousand), kinds of failure and the like: never tags, values or texts.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import accumulate

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, InfoMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from collector import __version__
from collector.status.board import BrokerState, BufferState, ConfigState, DeviceCondition, DeviceState, SinkState
from collector.status.durations import BOUNDS_S
from collector.status.machine import MachineFigures
from collector.web.sources import Sources

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_PROCESS = CollectorRegistry()
ProcessCollector(registry=_PROCESS)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The board at one moment, for a thread to write down while it moves on."""

    edge_id: str
    uptime_s: float
    now_ms: int
    heartbeats: int
    figures: MachineFigures
    broker: BrokerState
    buffer: BufferState
    buffer_limit_bytes: int
    sinks: tuple[tuple[str, SinkState], ...]
    config: ConfigState
    devices: tuple[DeviceState, ...]
    conditions: tuple[str, ...]
    alarms: int | None

    @classmethod
    def of(cls, sources: Sources) -> "Snapshot":
        """To be taken on the event loop."""
        board = sources.board
        return cls(
            sources.settings.edge_id,
            board.uptime_s(),
            sources.clock.wall_ms(),
            sources.heartbeats(),
            sources.figures(),
            replace(board.broker),
            replace(board.buffer),
            sources.settings.buffer_max_mb << 20,
            tuple((name, replace(sink, buffer=replace(sink.buffer))) for name, sink in board.sinks.items()),
            replace(board.config),
            tuple(replace(device, failed=dict(device.failed)) for device in board.devices.values()),
            tuple(board.conditions),
            None if sources.alarms is None else len(sources.alarms.active()),
        )


def exposition(snapshot: Snapshot) -> bytes:
    """All metrics in Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(_Edge(snapshot))
    return generate_latest(registry) + generate_latest(_PROCESS)


class _Edge(Collector):
    def __init__(self, snapshot: Snapshot) -> None:
        self._at = snapshot

    def collect(self) -> Iterator[Metric]:
        yield from self._collector()
        yield from self._gateway()
        yield from self._config()
        yield from self._broker()
        yield from self._outbox()
        if self._at.sinks:
            yield from self._sinks()
        yield from self._devices()

    def _collector(self) -> Iterator[Metric]:
        at = self._at
        yield InfoMetricFamily(
            "edge_collector", "Which collector this is.", {"edge_id": at.edge_id, "version": __version__}
        )
        yield _gauge("edge_uptime_seconds", "Since the start of the collector.", at.uptime_s)
        yield CounterMetricFamily("edge_heartbeat", "Heartbeats made.", at.heartbeats)
        held = GaugeMetricFamily("edge_condition", "1 for each condition that holds.", labels=["code"])
        for code in at.conditions:
            held.add_metric([code], 1)
        yield held
        if at.alarms is not None:
            yield _gauge("edge_alarms", "Alarms that hold, acknowledged or not.", at.alarms)

    def _gateway(self) -> Iterator[Metric]:
        figures = self._at.figures
        yield _gauge("edge_cpu_usage", "Processor load of the machine, percent.", figures.cpu_percent)
        yield _gauge("edge_ram_usage", "Memory in use on the machine, percent.", figures.memory_percent)
        yield _gauge("edge_disk_usage", "How full the disk of DATA_DIR is, percent.", figures.disk_percent)
        if figures.temperature_c is not None:
            yield _gauge("edge_temperature", "The processor's temperature, degrees Celsius.", figures.temperature_c)

    def _config(self) -> Iterator[Metric]:
        config = self._at.config
        yield InfoMetricFamily("edge_config", "The document in force.", {"version": config.version or ""})
        yield _gauge("edge_config_refused_parts", "Parts of the document that are not used.", len(config.problems))
        yield _gauge("edge_config_reachable", "1 while the source of the document answers.", config.error is None)
        if config.applied_ms is not None:
            age_s = max(0, self._at.now_ms - config.applied_ms) / 1000
            yield _gauge("edge_config_age_seconds", "Since the document was applied.", age_s)

    def _broker(self) -> Iterator[Metric]:
        broker = self._at.broker
        yield _gauge("edge_mqtt_connected", "1 while there is a connection to the broker.", broker.connected)
        yield CounterMetricFamily("edge_mqtt_connects", "Connections made to the broker.", broker.connects)
        yield CounterMetricFamily("edge_mqtt_reconnects", "All of them but the first.", max(0, broker.connects - 1))

    def _outbox(self) -> Iterator[Metric]:
        counts = self._at.buffer
        yield _gauge("edge_outbox_messages", "Data messages that wait for the broker.", counts.messages)
        yield _gauge("edge_outbox_bytes", "Their size.", counts.bytes)
        yield _gauge("edge_outbox_limit_bytes", "BUFFER_MAX_MB.", self._at.buffer_limit_bytes)
        oldest_s = 0.0 if counts.oldest_ms is None else max(0, self._at.now_ms - counts.oldest_ms) / 1000
        yield _gauge("edge_outbox_oldest_age_seconds", "How long the oldest has waited.", oldest_s)
        yield CounterMetricFamily("edge_outbox_made", "Data messages made, and found at the start.", counts.recorded)
        yield CounterMetricFamily("edge_outbox_acknowledged", "Of these, acknowledged.", counts.acknowledged)
        yield CounterMetricFamily("edge_outbox_dropped", "Of these, lost and named in a gap event.", counts.dropped)

    def _sinks(self) -> Iterator[Metric]:
        label = ["sink"]
        up = GaugeMetricFamily("edge_sink_up", "1 while it takes messages.", labels=label)
        messages = GaugeMetricFamily("edge_sink_messages", "Data messages that wait for it.", labels=label)
        size = GaugeMetricFamily("edge_sink_bytes", "Their size.", labels=label)
        limit = GaugeMetricFamily("edge_sink_limit_bytes", "How much its outbox may hold.", labels=label)
        made = CounterMetricFamily("edge_sink_made", "Data messages for it, and found at the start.", labels=label)
        acknowledged = CounterMetricFamily("edge_sink_acknowledged", "Of these, acknowledged.", labels=label)
        dropped = CounterMetricFamily("edge_sink_dropped", "Of these, lost and named in a gap event.", labels=label)
        for name, sink in self._at.sinks:
            up.add_metric([name], float(sink.up))
            messages.add_metric([name], sink.buffer.messages)
            size.add_metric([name], sink.buffer.bytes)
            limit.add_metric([name], sink.limit_bytes)
            made.add_metric([name], sink.buffer.recorded)
            acknowledged.add_metric([name], sink.buffer.acknowledged)
            dropped.add_metric([name], sink.buffer.dropped)
        yield from (up, messages, size, limit, made, acknowledged, dropped)

    def _devices(self) -> Iterator[Metric]:
        name = ["device"]
        info = InfoMetricFamily("edge_device", "The devices by id and name.", labels=["device", "name"])
        state = GaugeMetricFamily("edge_device_state", "1 for the state it is in.", labels=["device", "state"])
        polls = CounterMetricFamily("edge_device_polls", "Poll cycles.", labels=name)
        failures = CounterMetricFamily("edge_device_poll_failures", "Failed ones.", labels=["device", "kind"])
        overruns = CounterMetricFamily("edge_device_overruns", "Cycles that came due too soon.", labels=name)
        requests = GaugeMetricFamily("edge_device_requests_per_cycle", "Requests of its last cycle.", labels=name)
        bad = GaugeMetricFamily("edge_device_bad_tags", "Tags without a good value.", labels=name)
        age = GaugeMetricFamily("edge_device_last_good_age_seconds", "Since its last good value.", labels=name)
        took = HistogramMetricFamily("edge_device_poll_duration_seconds", "How long its cycles took.", labels=name)
        for device in self._at.devices:
            label = [device.id]
            info.add_metric([*label, device.name], {})
            for condition in DeviceCondition:
                state.add_metric([*label, condition.value], float(device.condition is condition))
            polls.add_metric(label, device.polls)
            for kind, count in device.failed.items():
                failures.add_metric([*label, kind], count)
            overruns.add_metric(label, device.missed)
            requests.add_metric(label, device.requests_per_cycle)
            bad.add_metric(label, len(device.bad_tags))
            if device.last_good_ms is not None:
                age.add_metric(label, max(0, self._at.now_ms - device.last_good_ms) / 1000)
            buckets = zip((*map(str, BOUNDS_S), "+Inf"), accumulate(device.took.counts), strict=True)
            took.add_metric(label, list(buckets), device.took.total_s)
        yield from (info, state, polls, failures, overruns, requests, bad, age, took)


def _gauge(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(name, meaning, float(value))
