"""The reference and the example say what the settings are."""

import re
from pathlib import Path

import pytest

from collector.settings import load_settings
from collector.settings.model import VARIABLES
from collector.settings.reference import main

ROOT = Path(__file__).parents[3]
PROMISED_TEXT = """
EDGE_SERVER_URL MQTT_BROKER_URL DEVICE_ID COMPANY_CODE EDGE_CONFIG_SOURCE LOG_LEVEL KAFKA_BROKERS
EDGE_ID EDGE_CONFIG_FILE EDGE_API_TOKEN EDGE_API_CA_FILE TRUST_ENV CONFIG_SYNC_INTERVAL_SEC
CONFIG_PROBATION_SEC MQTT_USERNAME MQTT_PASSWORD MQTT_CLIENT_ID MQTT_CA_FILE MQTT_CERT_FILE
MQTT_KEY_FILE MQTT_TLS_INSECURE MQTT_VERSION MQTT_RECONNECT_MAX_SEC MQTT_KEEPALIVE_SEC
MQTT_COMMAND_TOPIC MQTT_EVENTS HEARTBEAT_INTERVAL_SEC HEARTBEAT_DETAIL PAYLOAD_META DATA_ON_ERROR
START_JITTER_SEC DATA_DIR BUFFER_MAX_MB BUFFER_COMMIT_MS BUFFER_REPLAY BUFFER_REPLAY_RATE
HISTORY_MAX_MB HISTORY_RAW_HOURS SITE_TZ STRING_ENCODING PLC_ETHERNET DEVICE_NETWORKS WRITES_ENABLED
WRITE_ALLOW_FILE COMMAND_MAX_AGE_SEC COMMAND_REQUIRE_TIMESTAMP HTTP_HOST HTTP_PORT HTTP_TOKEN
HTTP_ALLOWED_HOSTS EDGE_IP_ADDRESS HOST_ROOT LOG_FORMAT LOG_DIR UPLINK_URL
"""
PROMISED = sorted(PROMISED_TEXT.split())


def test_the_settings_are_the_promised_ones() -> None:
    assert sorted(VARIABLES) == PROMISED


def test_the_committed_files_are_up_to_date() -> None:
    assert main(["--check"], ROOT) == 0


def test_a_stale_file_is_told_and_renewed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "docs").mkdir()
    guide = tmp_path / "docs" / "configuration.md"
    guide.write_text((ROOT / "docs" / "configuration.md").read_text("utf-8").replace("`8090`", "`1`"), "utf-8")
    assert main(["--check"], tmp_path) == 1
    assert "configuration.md is out of date" in capsys.readouterr().err
    assert main([], tmp_path) == 0
    assert main(["--check"], tmp_path) == 0


def test_the_example_has_every_variable_once_and_the_required_ones_first() -> None:
    text = (ROOT / ".env.example").read_text("utf-8")
    assert sorted(re.findall(r"(?m)^#?([A-Z_]+)=", text)) == PROMISED
    assert re.findall(r"(?m)^([A-Z_]+)=", text) == ["EDGE_SERVER_URL", "MQTT_BROKER_URL", "DEVICE_ID", "COMPANY_CODE"]


def test_the_example_with_an_id_starts_and_its_comments_are_the_defaults(tmp_path: Path) -> None:
    text = (ROOT / ".env.example").read_text("utf-8").replace("DEVICE_ID=", "DEVICE_ID=edge-1")
    plain, all_in = tmp_path / "plain", tmp_path / "all"
    plain.write_text(text, "utf-8")
    all_in.write_text(re.sub(r"(?m)^#([A-Z_]+=)", r"\1", text), "utf-8")
    for path in (plain, all_in):
        path.chmod(0o600)
    assert load_settings(plain, {}) == load_settings(all_in, {}).model_copy(update={"env_file": plain})
