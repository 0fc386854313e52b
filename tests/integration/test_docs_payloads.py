"""Every payload in the documentation has the shape of what a collector really sends."""

import asyncio
import itertools
import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from collector.alarms.alarm import Alarm, Level, State, event_fields
from collector.clock import SystemClock, iso_utc
from collector.config.planner import PlanOptions, plan_document
from collector.delivery.encode import ScanEncoder
from collector.delivery.gaps import gap_fields
from collector.polling.scan import Scan
from collector.status.board import Board
from collector.status.clock_watch import ClockWatch
from collector.status.heartbeat import Heartbeat
from collector.status.machine import Machine, MachineFigures
from collector.storage.records import Gap
from fleet_client.commands import read_command
from fleet_client.events import event_body
from fleet_client.payloads import mark_buffered
from fleet_client.reading import read_document
from fleet_client.status import heartbeat
from fleet_client.topics import Topics
from protocols.quality import Quality
from tests.doubles.clock import FakeClock
from tests.doubles.collector_process import CollectorProcess
from tests.doubles.documentation import Block, all_blocks
from tests.doubles.mosquitto import Mosquitto, free_port
from tests.doubles.payload_shape import differences
from tests.doubles.walkthrough import Walkthrough, wait_until
from tests.integration.mqtt_ear import Ear
from tests.integration.test_docs import of_kind

ALARM = Alarm(1, "1", "PLC", "temperature", Level.HIGH, State.RAISED, 81.5, 80.0, 0)
EDGE = "edge-spifox-001"
TOPICS = Topics(EDGE)
Payload = dict[str, Any]
Sent = dict[str, list[Payload]]
"""Payloads by kind, as `kind_of` names them."""

PLC = Block(Path(), 0, "sh run", {"until": "Modbus TCP PLC at"}, "edge-collector simulate modbus --port 5020\n")


def opcua_server(port: int) -> Block:
    """A filling line to be browsed."""
    command = f"edge-collector simulate opcua --port {port}\n"
    return Block(Path(), 1, "sh run", {"until": "OPC-UA server at"}, command)


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Sent:
    """What one collector sent in a life with a PLC that is there and one that is not, an outage, a kill and a stop."""
    folder = tmp_path_factory.mktemp("edge")
    by_kind: defaultdict[str, list[Payload]] = defaultdict(list)
    opcua_port = free_port()
    with Walkthrough(folder) as reader, Mosquitto() as broker, Ear(broker.port) as ear:
        reader.start(PLC)
        reader.start(opcua_server(opcua_port))
        (folder / "config.json").write_text(reader.adapted(json.dumps(document(free_port(), opcua_port))), "utf-8")
        with CollectorProcess(folder, settings(broker)) as collector:
            wait_until(lambda: all_answer(ear.payloads(TOPICS.data)), lambda: collector.log)
            documented = documented_commands()
            restarts = [command for command in documented if command.get("command") == "restart"]
            for some in ([each for each in documented if each not in restarts], further_commands(), restarts):
                answered = len(ear.payloads(TOPICS.responses)) + len(some)
                for command in some:
                    ear.say(TOPICS.commands, json.dumps(command).encode())
                wait_until(partial(enough, ear, answered), lambda: collector.log)
            wait_until(lambda: collector.log.count("connected to the broker") == 2, lambda: collector.log)
            broker.pause()
            before = written(folder)
            wait_until(lambda: written(folder) > before, lambda: "nothing was written in the outage")
            collector.kill()
            broker.resume()
            wait_until(lambda: b"connection_lost" in b"".join(ear.payloads(TOPICS.status)), lambda: "no last will")
            collector.start()
            wait_until(lambda: b"restart" in b"".join(ear.payloads(TOPICS.events)), lambda: collector.log)
            wait_until(lambda: b"drained" in b"".join(ear.payloads(TOPICS.events)), lambda: collector.log)
            asyncio.run(collector.stop())
            wait_until(lambda: b"shutdown" in ear.payloads(TOPICS.status)[-1], lambda: collector.log)
        for topic in ("data", "status", "events", "responses"):
            for body in ear.payloads(f"vexplor/devices/{EDGE}/{topic}"):
                payload = json.loads(body)
                by_kind[kind_of(topic, payload)].append(payload)
    return by_kind


@pytest.mark.parametrize("block", of_kind("json data", "json status", "json will", "json farewell", "json event"))
def test_an_example_has_the_shape_of_what_is_sent(sent: Sent, block: Block) -> None:
    topic = {"json data": "data", "json event": "events"}.get(block.kind, "status")
    example = json.loads(block.text)
    kind = kind_of(topic, example)
    assert differences(example, [*sent[kind], *made_here()[kind]]) == []


@pytest.mark.parametrize("block", of_kind("json response"))
def test_an_answer_has_the_shape_of_what_is_answered(sent: Sent, block: Block) -> None:
    example = json.loads(block.text)
    assert differences(example, sent[kind_of("responses", example)]) == []


def test_every_command_in_the_documentation_succeeds(sent: Sent) -> None:
    for command in documented_commands():
        name = read_command(json.dumps(command).encode()).command
        assert sent[f"responses {name} success"], name


def kind_of(topic: str, payload: Payload) -> str:
    """What payloads of one shape have in common."""
    match topic:
        case "responses":
            return f"responses {payload['command']} {payload['status']}"
        case "events":
            return f"events {payload['type']}"
        case "status":
            return f"status {payload.get('reason', 'online')}"
        case _:
            return topic


def all_answer(data: Sequence[bytes]) -> bool:
    """Whether both PLCs that are there have been heard of, the first some times."""
    return len(data) > 3 and any(b"temperature" in body for body in data) and any(b"filled" in body for body in data)


def document(nobody: int, opcua: int) -> Payload:
    """A PLC with a bad address, one that is not there, an OPC-UA server, and a tag that is refused."""
    tag = {"name": "temperature", "address": "40001", "data_type": "UINT16", "scale": 0.1}
    setpoint = tag | {"name": "setpoint", "address": "40061", "writable": True, "write_min": 0, "write_max": 120}
    stroke_rate = {"name": "stroke_rate", "address": "40062", "data_type": "UINT16", "writable": True}
    missing, refused = tag | {"name": "flow", "address": "40030"}, tag | {"name": "bad", "scale": 0}
    return {
        "version": "1", "edge_id": EDGE, "edge_name": "엣지",
        "devices": [
            {"id": "1", "protocol": "modbus_tcp", "equipment_id": 4, "interval_ms": 200,
             "connection": {"host": "127.0.0.1", "port": 5020},
             "tags": [tag, missing, refused, setpoint, stroke_rate]},
            {"id": "2", "protocol": "modbus_tcp", "interval_ms": 200,
             "connection": {"host": "127.0.0.1", "port": nobody}, "tags": [tag]},
            {"id": "3", "protocol": "opcua", "interval_ms": 200, "connection": {"host": "127.0.0.1", "port": opcua},
             "tags": [{"name": "filled", "address": "ns=2;s=Filler.SpeedSetpoint", "data_type": "FLOAT64"}]},
        ],
    }  # fmt: skip


def settings(broker: Mosquitto) -> dict[str, object]:
    """Of the collector under observation."""
    return {
        "EDGE_CONFIG_SOURCE": "file", "EDGE_CONFIG_FILE": "config.json", "DEVICE_ID": EDGE, "COMPANY_CODE": "spifox",
        "WRITES_ENABLED": True, "MQTT_BROKER_URL": broker.url, "DATA_ON_ERROR": "empty", "HEARTBEAT_INTERVAL_SEC": 1,
    }  # fmt: skip


def written(folder: Path) -> int:
    """How much the outbox has written, in bytes."""
    return (folder / "data" / "outbox" / "outbox.db-wal").stat().st_size


def documented_commands() -> list[Payload]:
    """The commands of the documentation, as if they had been sent now."""
    now_ms = SystemClock().wall_ms()
    fresh = {"timestamp": iso_utc(now_ms), "expires_at": iso_utc(now_ms + 30_000)}
    written = [json.loads(block.text) for block in all_blocks() if block.kind == "json command"]
    return [{key: fresh.get(key, value) for key, value in command.items()} for command in written]


def enough(ear: Ear, answers: int) -> bool:
    """Whether so many commands were answered."""
    return len(ear.payloads(TOPICS.responses)) >= answers


def further_commands() -> list[Payload]:
    """What the answers are to that stand in the documentation without their command."""
    too_high = {"device_id": "1", "tag": "setpoint", "value": 130}
    clamped = {"device_id": "1", "tag": "stroke_rate", "value": 99}
    return [
        {"command_id": "c-3", "command": "write_tag", "params": too_high},
        {"command_id": "c-13", "command": "write_tag", "params": clamped},
        {"command_id": "c-16", "command": "test_connection", "params": {"device_id": "2"}},
    ]


class WarmMachine(Machine):
    """One that has a sensor."""

    def figures(self) -> MachineFigures:
        return MachineFigures(3.2, 41.0, 30.1, 48.0, "192.168.1.5")


def made_here() -> Sent:
    """What would take a full disk, a hot processor or a very large device, by the same code."""
    clock = SystemClock()
    board = Board(clock)
    board.raise_condition("config_stale", "no answer")
    board.buffer.oldest_ms = clock.wall_ms()
    beat = Heartbeat(
        board, WarmMachine(Path()), lambda _: None,
        clock=clock, company_code="", interval_s=30, all_devices=False,
    )  # fmt: skip
    gap = event_body("gap", iso_utc(0), gap_fields(Gap("e", 1, 2, 2, 0, 1), "limit"))
    return defaultdict(
        list,
        {
            "status online": [json.loads(heartbeat(beat.fields(all_devices=False)))],
            "events gap": [json.loads(gap)],
            "events alarm": [json.loads(event_body("alarm", iso_utc(0), event_fields(ALARM, ALARM.state)))],
            "events clock_step": [json.loads(body) for body in clock_steps()],
            "data": list(data_of_a_large_device()),
        },
    )


def clock_steps() -> list[bytes]:
    """A clock that is set."""
    told: list[bytes] = []
    clock = FakeClock()
    watch = ClockWatch(
        clock, Board(clock), built_ms=0, seen_ms=0, remember=lambda _: None,
        tell=lambda kind, fields: told.append(event_body(kind, iso_utc(clock.wall_ms()), fields)),
    )  # fmt: skip
    clock.step_wall(-3600)
    assert watch.in_doubt()
    return told


def data_of_a_large_device() -> Iterator[Payload]:
    """With a quality, in parts, buffered and not."""
    body = json.dumps(document(1, 1)).encode()
    device, *_ = plan_document(read_document(body, expected_edge_ids=None), PlanOptions(edge_id=EDGE)).devices
    scan = Scan(device, 0, ("a", "b", "c"), [[1, 2], 25.4, None], {2: Quality.TIMEOUT})
    numbers = itertools.count(1)
    limits: Sequence[Callable[[str], int]] = (lambda _: 100_000, lambda _: 120)
    for limit in limits:
        encoder = ScanEncoder(
            topic=lambda: TOPICS.data, epoch="e", next_seq=lambda: next(numbers),
            meta=True, send_empty=False, max_bytes=limit,
        )  # fmt: skip
        for _, message in encoder.messages(scan):
            yield json.loads(message.payload)
            yield json.loads(mark_buffered(message.payload))
