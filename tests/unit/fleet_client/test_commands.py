import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet_client.commands import MAX_COMMAND_BYTES, Command, read_command
from fleet_client.errors import InvalidCommand

AS_MS = 1_776_412_800_123


def test_a_command_as_the_contract_shows_it() -> None:
    payload = b"""{"command_id": "c-1", "command": "write_tag",
                   "params": {"device_id": "1", "tag": "setpoint", "value": 42.5},
                   "timestamp": "2026-04-17T08:00:00.123Z", "expires_at": "2026-04-17T08:01:00Z"}"""
    assert read_command(payload) == Command(
        command_id="c-1",
        id_key="command_id",
        command="write_tag",
        params={"device_id": "1", "tag": "setpoint", "value": 42.5},
        timestamp_ms=AS_MS,
        expires_at_ms=AS_MS + 59_877,
    )


@pytest.mark.parametrize("id_key", ["command_id", "id", "commandId"])
@pytest.mark.parametrize("name_key", ["command", "type", "action", "command_type", "commandType"])
@pytest.mark.parametrize("params_key", ["params", "payload", "parameters", "args"])
def test_every_alias(id_key: str, name_key: str, params_key: str) -> None:
    command = read_command(json.dumps({id_key: 17, name_key: " Ping ", params_key: {"a": 1}}).encode())
    assert command == Command(17, id_key, "ping", {"a": 1})


def test_the_first_name_wins_and_null_is_absent() -> None:
    command = read_command(b'{"command_id": null, "id": "x", "type": "command", "command": "ping", "params": null}')
    assert command == Command("x", "id", "ping", {})


@pytest.mark.parametrize(
    "stamp",
    [
        "2026-04-17T08:00:00.123Z",
        "2026-04-17T17:00:00.123+09:00",
        "2026-04-17 08:00:00.123",
        1_776_412_800_123,
        1_776_412_800.123,
        "1776412800123",
        " 1776412800.123 ",
    ],
)
def test_stamps_in_every_form(stamp: object) -> None:
    payload = json.dumps({"id": "x", "command": "ping", "timestamp": stamp, "expiresAt": stamp})
    command = read_command(payload.encode())
    assert (command.timestamp_ms, command.expires_at_ms) == (AS_MS, AS_MS)


@pytest.mark.parametrize("stamp", ["soon", True, -1, [], 1e300, "2026-13-01", float("nan")])
def test_stamps_that_are_none(stamp: object) -> None:
    payload = json.dumps({"id": "x", "command": "ping", "timestamp": stamp})
    with pytest.raises(InvalidCommand, match=r"timestamp is .*, expected ISO 8601"):
        read_command(payload.encode())


@pytest.mark.parametrize(
    ("payload", "says"),
    [
        (b"", "not JSON: line 1, column 1"),
        (b"\xff{}", "byte 0 of the command is not UTF-8"),
        (b"[]", "the command is a list, expected an object"),
        (b'{"command": "ping"}', "has no id"),
        (b'{"id": true, "command": "ping"}', "has no id"),
        (b"[" * 30_000, "nested more than 64"),
        (b'{"id": "x", "command": "ping", "params": ' + b"[" * 64 + b"]" * 64 + b"}", "nested more than 64"),
        (b" " * (MAX_COMMAND_BYTES + 1), "65,537 bytes, expected at most 65,536"),
    ],
)
def test_what_has_no_id_to_be_read(payload: bytes, says: str) -> None:
    with pytest.raises(InvalidCommand, match=says) as invalid:
        read_command(payload)
    assert invalid.value.command_id is None
    assert invalid.value.id_key is None


@pytest.mark.parametrize(
    ("rest", "says", "name"),
    [
        ('"x": 1', "has no name", None),
        ('"command": 5', "has no name", None),
        ('"command": "ping", "params": [1]', "params is a list, expected an object", "ping"),
        ('"command": "ping", "args": "x"', 'args is "x", expected an object', "ping"),
        ('"command": "write_tag", "params": {"value": NaN}', r"params\.value is NaN", "write_tag"),
        ('"command": "write_tag", "params": {"value": [1, -Infinity]}', r"params\.value\[1\] is -Inf", "write_tag"),
        ('"command": "write_tag", "params": {"value": 1e999}', r"params\.value is 1E\+999", "write_tag"),
        ('"command": "write_tag", "params": {"value": 1, "value": 2}', 'params has the key "value" more', "write_tag"),
        ('"command": "ping", "command": "restart"', 'has the key "command" more than once', "restart"),
        ('"command": "ping", "params": {"a": "\\ud800"}', "text that UTF-8 can carry", "ping"),
        ('"command": "ping", "params": {"\\ud800": 1}', "text that UTF-8 can carry", "ping"),
    ],
)
def test_what_is_wrong_is_answered_under_its_id(rest: str, says: str, name: str | None) -> None:
    with pytest.raises(InvalidCommand, match=says) as invalid:
        read_command(f'{{"commandId": "c-9", {rest}}}'.encode())
    assert (invalid.value.command_id, invalid.value.id_key, invalid.value.command) == ("c-9", "commandId", name)


def test_large_integers_stay_exact() -> None:
    command = read_command(b'{"id": "x", "command": "write_tag", "params": {"value": 18446744073709551616}}')
    assert command.params["value"] == 2**64


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))
KNOWN_KEYS = st.sampled_from(["id", "command", "params", "timestamp", "expires_at", "type"])


@given(st.binary() | JSON.map(lambda value: json.dumps(value).encode()))
def test_nothing_but_invalid_command_is_ever_raised(payload: bytes) -> None:
    with suppress(InvalidCommand):
        assert read_command(payload).command


@given(st.dictionaries(KNOWN_KEYS, JSON))
def test_nor_for_the_known_keys_with_anything_in_them(sent: dict[str, object]) -> None:
    with suppress(InvalidCommand):
        command = read_command(json.dumps(sent).encode())
        assert json.loads(json.dumps(command.params, allow_nan=False)) == command.params
