"""The limits of what comes in from outside: one more costs what is too much, and no more than that."""

import json
import tracemalloc
from typing import Any

import pytest

from fleet_client.commands import MAX_COMMAND_BYTES, read_command
from fleet_client.errors import InvalidCommand, NotAConfig
from fleet_client.json_text import MAX_BODY_BYTES
from fleet_client.reading import read_document
from fleet_client.topics import Topics, valid_edge_id


def device(device_id: str, *names: str) -> dict[str, Any]:
    tags = [{"name": name, "address": "40001", "data_type": "UINT16"} for name in names]
    return {"id": device_id, "protocol": "modbus_tcp", "connection": {"host": "10.0.0.1"}, "tags": tags}


def body(*devices: dict[str, Any]) -> bytes:
    return json.dumps({"devices": devices}).encode()


def test_s11_1_000_devices_are_used_and_the_others_are_refused_by_their_path() -> None:
    read = read_document(body(*(device(str(n), "a") for n in range(1_002))), expected_edge_ids=None)
    assert len(read.document.devices) == 1_000
    assert [(refusal.path, refusal.code) for refusal in read.refusals] == [("devices[1000]", "too_many")]


def test_s11_100_000_tags_are_used_and_the_others_are_refused_by_their_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fleet_client.reading.MAX_TAGS", 100)
    names = [f"t{n}" for n in range(60)]
    read = read_document(body(device("1", *names), device("2", *names)), expected_edge_ids=None)
    assert [len(each.tags) for each in read.document.devices] == [60, 40]
    assert [(refusal.path, refusal.code) for refusal in read.refusals] == [("devices[1].tags[40]", "too_many")]


@pytest.mark.parametrize(("length", "refused"), [(256, []), (257, ["devices[0].name"])])
def test_s11_names_have_256_characters_at_most(length: int, refused: list[str]) -> None:
    read = read_document(body({**device("1", "a"), "name": "이" * length}, device("2", "b")), expected_edge_ids=None)
    assert [refusal.path for refusal in read.refusals] == refused
    assert read.document.devices[-1].id == "2"


def test_s11_a_tag_of_too_long_a_name_costs_that_tag() -> None:
    read = read_document(body(device("1", "x" * 257, "b")), expected_edge_ids=None)
    assert [tag.name for tag in read.document.devices[0].tags] == ["b"]


def test_s11_a_document_has_32_mib_and_64_levels_at_most() -> None:
    with pytest.raises(NotAConfig, match="expected at most"):
        read_document(b" " * (MAX_BODY_BYTES + 1), expected_edge_ids=None)
    for levels, fits in ((61, True), (63, False), (100_000, False)):
        deep = b'{"devices": [{"id": "1", "connection": ' + b"[" * levels + b"]" * levels + b"}]}"
        if fits:
            read_document(deep, expected_edge_ids=None)
        else:
            with pytest.raises(NotAConfig, match="64 deep"):
                read_document(deep, expected_edge_ids=None)


def test_s11_a_key_is_cut_where_a_note_speaks_of_it() -> None:
    spoilt = b'{"\\ud800%b": 1, "\\ud800%b": 2, ' % (b"x" * 5_000, b"x" * 5_000)
    sent = body(device("1", "a")).replace(b'{"id"', spoilt + b'"id"').replace(b'{"host"', spoilt + b'"host"')
    read = read_document(sent, expected_edge_ids=None)
    assert read.document.devices[0].id == "1"
    assert [note.message[:17] for note in read.notes] == ["stands more than ", "is no known field", "stands more than "]
    for note in read.notes:
        assert len(note.path.encode()) < 120


def test_s11_of_a_long_number_or_key_nothing_is_remembered() -> None:
    numbers = (f"1.{n}{'1' * 1_000_000}" for n in range(20))
    tracemalloc.start()
    try:
        for number in numbers:
            tags = f'{{"name": "a", "scale": {number}}}, {{"name": "b", "scale": "{number}"}}'
            connection = f'{{"host": "plc", "k{number}": {number}}}'
            sent = f'{{"devices": [{{"id": "1", "protocol": "s7", "connection": {connection}, "tags": [{tags}]}}]}}'
            read = read_document(sent.encode(), expected_edge_ids=None)
            assert [each.path for each in read.refusals][-1:] == ["devices[0].tags[1].scale"]
        del number, tags, connection, sent, read
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 5_000_000


def test_s11_so_many_refused_parts_of_tags_are_listed_and_the_others_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fleet_client.reading.MAX_REFUSALS", 3)
    spoilt: dict[str, list[int]] = {"name": [], "address": [], "bit": []}
    devices = ({**device(str(n)), "tags": [spoilt, spoilt]} for n in range(2))
    read = read_document(body(*devices, {**device("x"), "interval_ms": []}), expected_edge_ids=None)
    assert [refusal.path for refusal in read.refusals] == [
        *(f"devices[0].tags[0].{field}" for field in ("name", "address", "bit")),
        "devices[2].interval_ms",
        "devices",
    ]
    assert read.refusals[-1].code == "too_many"
    assert read.refusals[-1].message.startswith("9 more parts")
    assert [lost.id for lost in read.lost] == ["x"]


def test_s11_a_command_has_64_kib_at_most() -> None:
    command = json.dumps({"command_id": "c-1", "command": "ping"}).encode()
    fits = command + b" " * (MAX_COMMAND_BYTES - len(command))
    assert read_command(fits).command == "ping"
    with pytest.raises(InvalidCommand, match="65,537 bytes"):
        read_command(fits + b" ")


@pytest.mark.parametrize("edge_id", ["a/#", "a/b", "+", "#", "a\0", "", "x" * 65, "엣지", "a b", "a\n"])
def test_s11_an_edge_id_can_never_reach_into_other_topics(edge_id: str) -> None:
    assert not valid_edge_id(edge_id)
    with pytest.raises(ValueError, match="no edge id"):
        Topics(edge_id)
