"""What `load_settings` makes of an environment, and what it says of mistakes."""

import ipaddress
import subprocess
import sys
from pathlib import Path

import pytest

from collector.settings import BrokerUrl, HostPort, Settings, SettingsError, load_settings

ENOUGH = {
    "EDGE_SERVER_URL": "http://pipeline:8080/",
    "MQTT_BROKER_URL": "mqtt://pipeline",
    "DEVICE_ID": "edge-spifox-001",
}


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def loaded(**more: str) -> Settings:
    return load_settings(None, ENOUGH | more)


def complaint(name: str, value: str, **more: str) -> str:
    with pytest.raises(SettingsError) as caught:
        loaded(**{name: value} | more)
    assert [problem.variable for problem in caught.value.problems] == [name]
    return caught.value.problems[0].message


def warned(settings: Settings) -> dict[str, str]:
    return {warning.variable: warning.message for warning in settings.warnings}


def test_three_variables_are_enough_and_all_else_has_the_contracts_default() -> None:
    s = loaded()
    assert s.edge_server_url is not None
    assert s.edge_server_url.base == "http://pipeline:8080"
    assert s.mqtt_broker_url == BrokerUrl("mqtt", "pipeline", 1883)
    assert (s.edge_id, s.edge_id_fixed, s.company_code, s.edge_config_source) == ("edge-spifox-001", False, "", "api")
    assert (s.config_sync_interval_sec, s.config_probation_sec, s.trust_env) == (30, 60, False)
    assert s.client_id() == "edge-collector-edge-spifox-001"
    assert s.command_topic("spifox-001") == "vexplor/devices/spifox-001/commands"
    assert (s.mqtt_version, s.mqtt_reconnect_max_sec, s.mqtt_keepalive_sec, s.mqtt_events) == ("auto", 30, 15, True)
    assert (s.heartbeat_interval_sec, s.heartbeat_detail, s.payload_meta, s.data_on_error) == (
        30, "summary", "body", "skip",
    )  # fmt: skip
    assert (s.start_jitter_sec, s.data_dir, s.buffer_max_mb, s.buffer_commit_ms) == (0, Path("./data"), 1024, 100)
    assert (s.buffer_replay, s.buffer_replay_rate, s.history_max_mb, s.history_raw_hours) == ("fifo", None, 1024, 24)
    assert (s.site_tz, s.string_encoding, s.plc_ethernet, s.device_networks) == (None, "utf-8", "auto", ())
    assert (s.writes_enabled, s.write_allow_file, s.command_max_age_sec, s.command_require_timestamp) == (
        False, None, 60, False,
    )  # fmt: skip
    assert (s.http_host, s.http_port, s.http_token, s.http_allowed_hosts) == ("127.0.0.1", 8090, None, ())
    assert (s.host_root, s.log_level, s.log_format, s.log_dir, s.kafka_brokers) == (Path("/"), "INFO", "text", None, ())
    assert s.warnings == ()


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("tcp://b", BrokerUrl("mqtt", "b", 1883)),
        ("MQTTS://b/", BrokerUrl("mqtts", "b", 8883)),
        ("ws://b", BrokerUrl("ws", "b", 80, path="/")),
        ("wss://b:9001/mqtt?x=1", BrokerUrl("wss", "b", 9001, path="/mqtt?x=1")),
        ("mqtt://[fe80::1]:1884", BrokerUrl("mqtt", "fe80::1", 1884)),
        ("mqtt://my_broker.plant.local:1883", BrokerUrl("mqtt", "my_broker.plant.local", 1883)),
    ],
)
def test_broker_urls(text: str, url: BrokerUrl) -> None:
    assert loaded(MQTT_BROKER_URL=text).mqtt_broker_url == url


def test_credentials_in_the_url_are_decoded_and_out_of_sight() -> None:
    s = loaded(MQTT_BROKER_URL="mqtt://edge%40plant:p%2Fs%23%EB%B9%84@b:1883")
    assert s.broker_username == "edge@plant"
    assert s.broker_password is not None
    assert s.broker_password.get_secret_value() == "p/s#비"
    assert "plant" not in repr(s) + str(s.mqtt_broker_url) + s.model_dump_json()
    own = loaded(MQTT_BROKER_URL="mqtt://a:b@h", MQTT_USERNAME="u", MQTT_PASSWORD="p")
    assert own.broker_username == "u"
    assert own.broker_password is not None
    assert own.broker_password.get_secret_value() == "p"


@pytest.mark.parametrize(
    "text",
    ["b:1883", "http://b", "mqtt:///x", "mqtt://b:x", "mqtt://b:0", "mqtt://b:70000", "mqtt://[::1", "mqtt://a b",
     "mqtt://u:pa#ss@b", "mqtt://u:pa/ss@b", "mqtt://u:1/ss@b", "mqtt://:p@b", "mqtt://u:%00@b", "mqtt://a..b",
     "mqtt://u:%FF@b"],
)  # fmt: skip
def test_bad_broker_urls_are_never_quoted(text: str) -> None:
    message = complaint("MQTT_BROKER_URL", text)
    assert "expected mqtt://host:1883" in message
    assert text not in message


@pytest.mark.parametrize(
    ("name", "value", "field", "expected"),
    [
        ("LOG_LEVEL", "warn", "log_level", "WARNING"),
        ("LOG_LEVEL", "Debug", "log_level", "DEBUG"),
        ("MQTT_VERSION", "5.0", "mqtt_version", "5"),
        ("BUFFER_REPLAY", "LIVE-FIRST", "buffer_replay", "live_first"),
        ("BUFFER_REPLAY_RATE", "250", "buffer_replay_rate", 250),
        ("BUFFER_REPLAY_RATE", "AUTO", "buffer_replay_rate", None),
        ("STRING_ENCODING", "EUC-KR", "string_encoding", "cp949"),
        ("STRING_ENCODING", "ms949", "string_encoding", "cp949"),
        ("STRING_ENCODING", "uhc", "string_encoding", "cp949"),
        ("STRING_ENCODING", "latin-1", "string_encoding", "iso8859-1"),
        ("WRITES_ENABLED", "Yes", "writes_enabled", True),
        ("MQTT_EVENTS", "OFF", "mqtt_events", False),
        ("MQTT_COMMAND_TOPIC", "off", "mqtt_command_topic", None),
        ("HTTP_PORT", "0", "http_port", 0),
        ("COMPANY_CODE", " 스피폭스 # 본사", "company_code", "스피폭스"),
        ("COMPANY_CODE", '"A # B" # c', "company_code", "A # B"),
        ("COMPANY_CODE", "  ", "company_code", ""),
        ("KAFKA_BROKERS", "k1:9093, k2", "kafka_brokers", (HostPort("k1", 9093), HostPort("k2", 9092))),
        ("DEVICE_NETWORKS", "192.168.1.7/24,10.0.0.1", "device_networks",
         (ipaddress.ip_network("192.168.1.0/24"), ipaddress.ip_network("10.0.0.1/32"))),
        ("EDGE_ID", "spifox-001", "edge_id", "spifox-001"),
        ("EDGE_ID", "spifox-001", "edge_id_fixed", True),
    ],
)  # fmt: skip
def test_values_are_read_for_what_they_mean(name: str, value: str, field: str, expected: object) -> None:
    assert getattr(loaded(**{name: value}), field) == expected


def test_site_tz_is_a_zone() -> None:
    assert str(loaded(SITE_TZ="Asia/Seoul").site_tz) == "Asia/Seoul"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MQTT_KEEPALIVE_SEC", "15s"), ("MQTT_KEEPALIVE_SEC", "0"), ("BUFFER_MAX_MB", "-1"), ("BUFFER_MAX_MB", "1e3"),
        ("HEARTBEAT_INTERVAL_SEC", "nan"), ("HTTP_PORT", "65536"), ("SITE_TZ", "Asia"), ("SITE_TZ", "../etc/passwd"),
        ("STRING_ENCODING", "base64"), ("STRING_ENCODING", "klingon"), ("WRITES_ENABLED", "maybe"),
        ("DEVICE_NETWORKS", "192.168.1.0/33"), ("EDGE_IP_ADDRESS", "gateway"), ("LOG_LEVEL", "LOUD"),
        ("MQTT_VERSION", "3.1"), ("DEVICE_ID", "edge/1"), ("EDGE_ID", "엣지"), ("MQTT_COMMAND_TOPIC", "a/+/b"),
        ("MQTT_COMMAND_TOPIC", "a/{device}"), ("MQTT_CA_FILE", "/nowhere/ca.pem"), ("EDGE_CONFIG_SOURCE", "db"),
        ("DEVICE_NETWORKS", ","), ("BUFFER_REPLAY_RATE", "fast"),
        ("DATA_ON_ERROR", "null"),
    ],
)  # fmt: skip
def test_a_bad_value_is_one_line_with_what_was_found_and_expected(name: str, value: str) -> None:
    message = complaint(name, value)
    assert message.startswith("expected ")
    assert f"found '{value}'" in message
    assert "\n" not in message


def test_all_mistakes_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(None, {"HTTP_PORT": "x", "LOG_LEVEL": "y", "MQTT_KEY_FILE": __file__})
    assert {p.variable for p in caught.value.problems} == {
        "EDGE_SERVER_URL", "MQTT_BROKER_URL", "DEVICE_ID", "HTTP_PORT", "LOG_LEVEL", "MQTT_CERT_FILE",
    }  # fmt: skip
    assert len(str(caught.value).splitlines()) == 6


def test_the_old_collectors_source_is_refused_by_name() -> None:
    message = complaint("EDGE_CONFIG_SOURCE", "AAS")
    assert "old collector" in message
    assert "EDGE_CONFIG_FILE" in message


def test_servers_of_a_list_are_not_quoted() -> None:
    assert complaint("KAFKA_BROKERS", "user:canary") == (
        "expected host:port, separated by commas: a port is no number from 1 to 65535"
    )


def test_a_file_as_source_needs_no_server() -> None:
    environ = {"EDGE_CONFIG_SOURCE": "file", "MQTT_BROKER_URL": "mqtt://b", "EDGE_ID": "e"}
    with pytest.raises(SettingsError, match=r"^EDGE_CONFIG_FILE: is missing; expected a path$"):
        load_settings(None, environ)
    settings = load_settings(None, environ | {"EDGE_CONFIG_FILE": "plan.yaml"})
    assert settings.edge_server_url is None
    assert "watched" in warned(settings)["EDGE_CONFIG_FILE"]


def test_a_slip_of_the_pen_is_named() -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(None, {"MQTT_BROKER_ULR": "mqtt://u:canary@b", "PATH": "/bin", "DEVICE_ID": "e"})
    (hint,) = caught.value.warnings
    assert hint.variable == "MQTT_BROKER_ULR"
    assert "MQTT_BROKER_URL" in hint.message


def test_what_should_be_known_at_start_is_a_warning() -> None:
    settings = loaded(MQTT_TLS_INSECURE="1", KAFKA_BROKERS="k", UPLINK_URL="https://u", MQTT_CA_FILE=__file__)
    assert set(warned(settings)) == {"MQTT_TLS_INSECURE", "MQTT_CA_FILE"}


def test_kafka_without_its_package_is_a_mistake_that_says_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collector.settings.loading.find_spec", lambda name: None)
    assert loaded().kafka_brokers == ()
    assert "pip install 'edge-collector[kafka]'" in complaint("KAFKA_BROKERS", "k")


def test_settings_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        loaded().http_port = 1  # type: ignore[misc]


def test_importing_the_settings_imports_no_network_library() -> None:
    code = "import sys, collector.settings; print(sorted({'httpx', 'paho', 'asyncio', 'typer'} & set(sys.modules)))"
    root = Path(__file__).parents[3]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("token", ["토큰-abc", "two words", "tok\u00e9n"])
def test_a_token_that_no_header_can_carry_is_a_mistake_in_the_settings(token: str) -> None:
    said = complaint("EDGE_API_TOKEN", token)
    assert "printable ASCII" in said
    assert token not in said
    assert loaded(EDGE_API_TOKEN=" plain-token ").secrets == ("plain-token",)


@pytest.mark.parametrize(
    ("more", "variable"),
    [
        ({"MQTT_USERNAME": "u", "MQTT_PASSWORD": "edge"}, "MQTT_PASSWORD"),
        ({"HTTP_TOKEN": "abc"}, "HTTP_TOKEN"),
        ({"COMPANY_CODE": "spifox1", "EDGE_API_TOKEN": "spifox1"}, "EDGE_API_TOKEN"),
        ({"MQTT_BROKER_URL": "mqtt://u:pipe@pipeline"}, "MQTT_BROKER_URL"),
    ],
)
def test_a_secret_that_would_mask_what_everybody_reads_is_told_and_masks_nothing(
    more: dict[str, str], variable: str
) -> None:
    settings = loaded(**more)
    assert settings.secrets == ()
    assert "choose a longer one" in warned(settings)[variable]


def test_s5_every_secret_is_masked_also_one_that_is_not_used() -> None:
    settings = loaded(
        EDGE_SERVER_URL="http://u:canary-server@pipeline:8080",
        MQTT_BROKER_URL="mqtt://u:canary-url@pipeline",
        MQTT_USERNAME="u",
        MQTT_PASSWORD="canary-password",
        EDGE_API_TOKEN="canary-token",
        HTTP_TOKEN="canary-page",
        UPLINK_URL="http://u:canary-uplink@up:1",
    )
    assert set(settings.secrets) == {
        "canary-server", "canary-url", "canary-password", "canary-token", "canary-page", "canary-uplink",
    }  # fmt: skip
    assert "canary" not in f"{settings!r} {settings} {settings.model_dump()}"
    assert "not used" in warned(settings)["EDGE_SERVER_URL"]


def test_the_uplinks_password_is_a_secret() -> None:
    assert "canary" in loaded(UPLINK_URL="https://u:canary@uplink").secrets
