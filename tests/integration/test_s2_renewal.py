"""Row S2: certificates, keys and passwords are renewed while it runs: the next connection uses what is there then."""

import asyncio
import gc
from pathlib import Path

import pytest

from collector.app import config_source
from collector.delivery.address import mqtt_options
from collector.delivery.mqtt.options import MqttOptions
from collector.settings import load_settings
from simulators.fleet import FleetServer
from tests.doubles.certificates import Authority
from tests.doubles.mosquitto import Mosquitto, free_port
from tests.doubles.shipped_broker import password_file, shipped_broker
from tests.integration.delivery_rig import rig

# paho leaves the socket of a handshake that failed to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


def options_of(**variables: object) -> MqttOptions:
    texts = {"EDGE_SERVER_URL": "http://127.0.0.1:1", "DEVICE_ID": "edge-1", **variables}
    return mqtt_options(load_settings(None, {name: str(value) for name, value in texts.items()}))


async def test_s2_a_certificate_is_renewed_without_a_restart(tmp_path: Path) -> None:
    ca = Authority(tmp_path, "Test CA")
    server, server_key = ca.issue("server")
    cert, key = ca.issue("client", common_name="the-first")
    old_key = key.read_bytes()
    for file in (*tmp_path.iterdir(), tmp_path):
        file.chmod(0o755)
    port = free_port()
    lines = [
        "connection_messages true", f"listener {port} 127.0.0.1",
        f"cafile {ca.file}", f"certfile {server}", f"keyfile {server_key}",
        "require_certificate true", "use_identity_as_username true",
    ]  # fmt: skip
    files = {"MQTT_CA_FILE": ca.file, "MQTT_CERT_FILE": cert, "MQTT_KEY_FILE": key}
    options = options_of(MQTT_BROKER_URL=f"mqtts://localhost:{port}", **files)
    with Mosquitto(lines=lines) as broker:
        async with rig(tmp_path / "outbox", options, reconnect_max_s=0.1) as r:
            r.record(10)
            await r.until_delivered(50)
            assert "u'the-first'" in broker.log
            ca.issue("client", common_name="the-second")
            new_key = key.read_bytes()
            key.write_bytes(old_key)  # half renewed: the certificate is there, its key is not yet
            r.board.broker.error = None
            broker.stop()
            await asyncio.to_thread(broker.start)
            await r.until(lambda: "TLS failed" in (r.board.broker.error or ""), 50)
            key.write_bytes(new_key)
            r.record(10)
            await r.until_delivered(50)
            assert "u'the-second'" in broker.log
    gc.collect()


async def test_s2_a_password_is_renewed_without_a_restart(tmp_path: Path) -> None:
    users = {"edge-1": "new-password", "server": "s"}
    secret = tmp_path / "secret"
    secret.write_text("old-password\n")
    secret.chmod(0o600)
    with shipped_broker(tmp_path, password_file(tmp_path, users)) as broker:
        options = options_of(MQTT_BROKER_URL=broker.url, MQTT_USERNAME="edge-1", MQTT_PASSWORD_FILE=secret)
        async with rig(tmp_path / "outbox", options, reconnect_max_s=0.1) as r:
            await r.until(lambda: "not authorised" in (r.board.broker.error or "").lower())
            secret.unlink()  # while it is being renewed the old one is tried
            r.board.broker.error = None
            await r.until(lambda: r.board.broker.error is not None)
            assert r.board.broker.connects == 0
            secret.write_text("new-password\n")
            await r.until(lambda: r.board.broker.connects == 1)


def test_s2_each_renewed_password_is_hidden_from_the_log(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("first-password")
    texts = {"MQTT_BROKER_URL": "mqtt://b", "EDGE_SERVER_URL": "http://f", "DEVICE_ID": "e", "MQTT_USERNAME": "u"}
    settings = load_settings(None, {**texts, "MQTT_PASSWORD_FILE": str(secret)})
    hidden: list[str] = []
    options = mqtt_options(settings, hidden.append)
    secret.write_text("second-password")
    assert options.renewed_password() == "second-password"
    assert hidden == ["second-password"]
    assert "password'" not in repr(options)


async def test_s2_the_fleet_servers_token_is_renewed_without_a_restart(tmp_path: Path) -> None:
    secret = tmp_path / "token"
    secret.write_text("first-token\n")
    async with FleetServer(document={"edge_id": "edge-1", "devices": []}) as fleet:
        texts = {"EDGE_SERVER_URL": fleet.url, "MQTT_BROKER_URL": "mqtt://b", "EDGE_ID": "edge-1"}
        settings = load_settings(None, {**texts, "EDGE_API_TOKEN_FILE": str(secret)})
        hidden: list[str] = []
        async with config_source(settings, hidden.append) as source:
            for content in ("second-token\n", "no token\n", None):
                await source.fetch(None)
                secret.unlink() if content is None else secret.write_text(content)
            await source.fetch(None)
        sent = [request.headers.get("authorization") for request in fleet.record.seen]
    assert sent == ["Bearer first-token", "Bearer second-token", "Bearer second-token", "Bearer second-token"]
    assert hidden[:2] == ["first-token", "second-token"]
