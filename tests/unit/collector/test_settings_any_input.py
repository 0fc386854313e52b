"""Whatever stands in the environment: settings or one `SettingsError`, and never a secret in what is said."""

import re
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from collector.settings import SettingsError, load_settings
from collector.settings.environment import KNOWN

CANARY = "c4n4ry"
GOOD = {
    "EDGE_SERVER_URL": "http://pipeline:8080",
    "MQTT_BROKER_URL": "mqtt://pipeline",
    "DEVICE_ID": "edge-1",
    "EDGE_CONFIG_SOURCE": "file",
    "HTTP_PORT": "0",
}
SPICES = st.sampled_from([
    "", " ", "-1", "0", "1", "9" * 5000, "1e999", "nan", "true", "off", "{edgeId", "10.0.0.0/99", ",,,", '"', "' #",
    "mqtt://", "mqtts://[::1]:99999", "http://[", "ws://u:p@h?x#y", "wss://h:１", "mqtt://xn--\u2100", "http://a\u2100b",
    "/", "..", "/" + "a" * 5000, "a\0b", "\udc80", "\n", "Asia", "/dev/zero", "k:9,:,[::1]:x",
    "base64", "undefined", "idna", "rot13",
])  # fmt: skip
JUNK = st.one_of(SPICES, st.text(max_size=12), st.text("mqtphws:/@[]%.#?0a", max_size=20))
SECRETS = st.builds(lambda a, b: f"{a}{CANARY}{b}", *[st.text("ab\"'#@:/?%$\\ 비", max_size=3)] * 2)


@given(st.dictionaries(st.sampled_from(sorted(KNOWN)), JUNK, max_size=8), st.booleans())
@settings(max_examples=400, deadline=None)
def test_junk_in_the_environment_gives_settings_or_one_error(junk: dict[str, str], complete: bool) -> None:
    try:
        loaded = load_settings(None, (GOOD if complete else {}) | junk)
        said, problems = f"{loaded!r}{loaded.model_dump_json()}", 0
    except SettingsError as error:
        said, problems = str(error), len(error.problems)
    said.encode()
    assert problems == len(re.split("[\\r\\n]", said)) or (said.startswith("Settings(") and not problems)


@given(st.one_of(st.binary(max_size=200), st.text("ABMQTT_PASSWORD=\"'#= \r\n\\", max_size=60).map(str.encode)))
@settings(max_examples=200, deadline=None)
def test_junk_in_the_file_gives_settings_or_one_error(content: bytes) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, ".env")
        path.write_bytes(content + b"\nMQTT_PASSWORD=" + CANARY.encode())
        try:
            said = load_settings(path, GOOD).warnings
        except SettingsError as error:
            said = error.problems + error.warnings
        assert CANARY not in str(said)


def places_for(secret: str) -> list[tuple[str, str]]:
    names = ("MQTT_PASSWORD", "EDGE_API_TOKEN", "HTTP_TOKEN", "MQTT_PASSWORD_FILE", "MQTT_PASSWROD")
    places = [(name, secret) for name in names] + [("KAFKA_BROKERS", f"user:{secret}@k:9092")]
    coded = quote(secret, safe="")
    for name, scheme in {"MQTT_BROKER_URL": "wss", "EDGE_SERVER_URL": "http", "UPLINK_URL": "https"}.items():
        places += [(name, f"{scheme}://{rest}") for rest in (f"u:{secret}@host:1", f"{coded}:{coded}@host")]
        places += [(name, f"{secret}@host"), (name, f"{scheme}://host/?token={secret}")]
    return places


@given(st.data(), SECRETS)
@settings(max_examples=300, deadline=None)
def test_a_secret_is_never_said(data: st.DataObject, secret: str) -> None:
    name, value = data.draw(st.sampled_from(places_for(secret)))
    assume(" #" not in value)  # from there on it is a comment, and what stands before it may be a host
    try:
        loaded = load_settings(None, GOOD | {"EDGE_CONFIG_SOURCE": "api", name: value})
    except SettingsError as error:
        said = f"{error} {error!r} {error.problems} {error.warnings} {error.__cause__} {error.__context__}"
    else:
        said = f"{loaded!r} {loaded} {loaded.warnings} {loaded.model_dump_json()} {loaded.model_dump()}"
    assert CANARY not in said


@pytest.fixture(autouse=True, scope="module")
def _no_file_of_ours(tmp_path_factory: pytest.TempPathFactory) -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("empty"))
        yield
