"""Plain connections work, and are named."""

from pathlib import Path

import pytest

from collector.settings import Settings, load_settings
from collector.status.board import Board
from collector.status.insecure import show_insecure
from protocols import registry
from protocols.base import Connection
from tests.doubles.clock import FakeClock


def settings(broker: str, fleet: str, **more: str) -> Settings:
    given = {"MQTT_BROKER_URL": broker, "EDGE_SERVER_URL": fleet, "DEVICE_ID": "edge-1", **more}
    return load_settings(None, given)


def connection(protocol: str, **fields: object) -> Connection:
    return registry.driver(protocol).connection({"host": "10.0.0.9", **fields}, 3)


@pytest.fixture(autouse=True)
def _nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def detail(of: Settings, *connections: Connection) -> str | None:
    board = Board(FakeClock())
    show_insecure(board, of, connections)
    held = board.conditions.get("insecure")
    return held.detail if held else None


def test_s1_what_is_plain_and_leaves_the_machine_is_named() -> None:
    told = detail(settings("mqtt://u:secret@broker:1883", "http://pipeline:8080"), connection("opcua"))
    assert told is not None
    assert "mqtt://broker:1883" in told
    assert "http://pipeline:8080" in told
    assert "10.0.0.9:4840" in told
    assert "secret" not in told


def test_what_is_encrypted_stays_here_or_is_never_secure_is_not() -> None:
    encrypted = settings("mqtts://broker", "https://pipeline")
    assert detail(encrypted, connection("modbus_tcp"), connection("opcua", host="127.0.0.1")) is None
    assert detail(settings("mqtt://127.0.0.1", "http://localhost:8080")) is None


def test_it_is_cleared_when_it_no_longer_holds() -> None:
    board, encrypted = Board(FakeClock()), settings("mqtts://broker", "https://pipeline")
    show_insecure(board, encrypted, [connection("opcua")])
    assert "insecure" in board.conditions
    show_insecure(board, encrypted, [])
    assert "insecure" not in board.conditions


def test_further_sinks_are_named_too_but_not_their_passwords() -> None:
    sinks = {"KAFKA_BROKERS": "kafka-1,127.0.0.1:9093", "UPLINK_URL": "http://u:secret@uplink/base"}
    told = detail(settings("mqtts://broker", "https://pipeline", **sinks))
    assert told == "not encrypted: Kafka kafka-1:9092, the HTTP sink http://uplink:80"
    here = {"KAFKA_BROKERS": "localhost", "UPLINK_URL": "https://uplink"}
    assert detail(settings("mqtts://broker", "https://pipeline", **here)) is None
