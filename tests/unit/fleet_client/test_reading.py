import json
import time
from collections.abc import Iterator
from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet_client.document import DeviceConfig, TagConfig
from fleet_client.errors import NotAConfig
from fleet_client.notes import MAX_NOTES
from fleet_client.reading import DevicePlace, count_devices, read_document, read_parsed

EDGES = ("spifox-001", "edge-spifox-001")


def document(*devices: object, **fields: object) -> bytes:
    return json.dumps({"version": "v1", "edge_id": EDGES[0], "devices": list(devices), **fields}).encode()


def device(*tags: object, **fields: object) -> dict[str, object]:
    return {"id": "1", "name": "PLC", "protocol": "modbus_tcp", "tags": list(tags), **fields}


def tag(name: object = "a", **fields: object) -> dict[str, object]:
    return {"name": name, "address": "40001", "data_type": "UINT16", **fields}


def test_places_follow_what_was_accepted() -> None:
    body = document("no device", device(tag("a", scale=0), tag("b"), tag("b"), tag("c")), device(id="2"))
    read = read_document(body, expected_edge_ids=EDGES)
    assert read.places == (
        DevicePlace("devices[1]", ("devices[1].tags[1]", "devices[1].tags[3]")),
        DevicePlace("devices[2]", ()),
    )


def test_messages_say_what_was_found_and_what_is_expected() -> None:
    wrong = tag(scale="zehn", interval_ms=5, register="output", unit="°" * 300)
    body = document(device(wrong, tag("a"), tag("a"), {}, {"name": "d"}))
    read = read_document(body, expected_edge_ids=EDGES)
    assert {refusal.path: refusal.message for refusal in read.refusals} == {
        "devices[0].tags[0].scale": 'found "zehn", expected a number other than 0',
        "devices[0].tags[0].unit": "found 300 characters, expected at most 256",
        "devices[0].tags[0].interval_ms": "found 5, expected a whole number from 10 to 86,400,000 ms",
        "devices[0].tags[0].register": 'found "output", expected one of holding, input, coil, discrete',
        "devices[0].tags[2].name": 'found "a" again, expected each tag\'s name only once',
        "devices[0].tags[3].name": "found nothing (absent, null or blank), expected text",
        "devices[0].tags[4]": "found neither address nor expression, expected one of them",
    }


def test_notes_say_what_was_taken_for_what() -> None:
    body = document(device(tag(5, scale="0.1", writable="Y", interval_ms=1000.0), dataType="x"))
    read = read_document(body, expected_edge_ids=EDGES)
    assert {note.path: note.message for note in read.notes} == {
        "devices[0].dataType": "is no known field and was ignored, here and elsewhere",
        "devices[0].tags[0].name": '5 was read as "5"',
        "devices[0].tags[0].scale": '"0.1" was read as 0.1',
        "devices[0].tags[0].writable": '"Y" was read as true',
        "devices[0].tags[0].interval_ms": "1000.0 was read as 1000",
    }


def test_a_connection_is_never_shown() -> None:
    canary = "opc.tcp://user:canary@host"
    body = document(device(connection=canary), device(connection={"password": "canary", "Port": "502", "x": "\ud800"}))
    read = read_document(body, expected_edge_ids=EDGES)
    assert [refusal.path for refusal in read.refusals] == ["devices[0].connection", "devices[1].connection"]
    assert "canary" not in repr((read.refusals, read.notes))


def test_a_thousand_devices() -> None:
    read = read_document(document(*(device(id=str(n)) for n in range(1_003))), expected_edge_ids=EDGES)
    assert len(read.document.devices) == 1_000
    (surplus,) = read.refusals
    assert (surplus.path, surplus.code) == ("devices[1000]", "too_many")
    assert surplus.message.startswith("found 3 too many")


def test_a_hundred_thousand_tags(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fleet_client.reading.MAX_TAGS", 5)
    three = [tag("a"), tag("b"), tag("c")]
    body = document(device(*three), device(*three, id="2"), device(*three, id="3"))
    read = read_document(body, expected_edge_ids=EDGES)
    assert [len(device.tags) for device in read.document.devices] == [3, 2, 0]
    assert [(refusal.path, refusal.code) for refusal in read.refusals] == [
        ("devices[1].tags[2]", "too_many"),
        ("devices[2].tags[0]", "too_many"),
    ]


def test_any_edge_will_do_where_none_is_expected() -> None:
    assert read_document(document(), expected_edge_ids=None).document.edge_id == EDGES[0]
    with pytest.raises(NotAConfig, match="expected edge-7"):
        read_document(document(), expected_edge_ids=["edge-7"])


def test_notes_are_bounded() -> None:
    read = read_document(document(device(*(tag(n) for n in range(MAX_NOTES + 50)))), expected_edge_ids=EDGES)
    assert len(read.notes) == MAX_NOTES + 1
    assert "more than 1,000" in read.notes[-1].message


def test_ten_thousand_tags_well_under_a_second() -> None:
    lenient = {"dataType": "uint16", "scale": "0.1", "offset": "0", "writable": "N", "intervalMs": "1000"}
    body = document(*(device(*(tag(n, **lenient) for n in range(1_000)), id=str(d)) for d in range(10)))
    started = time.process_time()
    read = read_document(body, expected_edge_ids=EDGES)
    assert sum(len(device.tags) for device in read.document.devices) == 10_000
    assert time.process_time() - started < 1


@pytest.mark.parametrize(
    ("body", "count"),
    [
        (document(), 0),
        (document(device(), "bad"), 2),
        (b'\xef\xbb\xbf{"Devices": [{}]}', 1),
        (b"{}", None),
        (b"<html>", None),
        (b"", None),
        (b"[" * 100_000, None),
    ],
)
def test_counting_devices(body: bytes, count: int | None) -> None:
    assert count_devices(body) == count


def test_a_document_from_yaml_is_read_alike() -> None:
    parsed = {"devices": [device(tag(scale=0.1, offset=-40, writable=True))]}
    (first,) = read_parsed(parsed, expected_edge_ids=EDGES).document.devices
    assert (first.tags[0].scale, first.tags[0].offset) == (Decimal("0.1"), Decimal(-40))


def test_models_can_be_made_by_hand() -> None:
    made = DeviceConfig(id="7", protocol="s7", tags=(TagConfig(name="a", address="DB1.DBW0", register="coil"),))
    assert (made.name, made.connection_id, made.interval_ms, made.tags[0].register_) == ("7", 7, 1_000, "coil")


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**9), max_value=10**9))
def test_numbers_are_exact_as_number_and_as_text(number: Decimal) -> None:
    body = (
        f'{{"devices": [{{"id": 1, "protocol": "s7", "tags": [{{"name": "a", "address": "MW0", "offset": {number:f}}},'
        f'{{"name": "b", "address": "MW0", "offset": "{number:f}"}}]}}]}}'
    )
    (read,) = read_document(body.encode(), expected_edge_ids=EDGES).document.devices
    assert [tag.offset for tag in read.tags] == [number, number]


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def paths() -> Iterator[tuple[str, str]]:
    yield from (("tag", name) for name in (*TagConfig.model_fields, "register") if name != "name")
    yield from (("device", name) for name in DeviceConfig.model_fields if name not in ("tags", "id"))


@given(st.sampled_from(list(paths())), ANYTHING)
def test_one_bad_field_costs_only_its_own_tag_or_device(place: tuple[str, str], value: object) -> None:
    kind, field = place
    spoiled = tag("spoiled", **({field: value} if kind == "tag" else {}))
    extra = {field: value} if kind == "device" else {}
    sent = {"devices": [device(tag("a"), spoiled, tag("z"), **extra), device(tag("b"), id="2")]}
    read = read_document(json.dumps(sent).encode(), expected_edge_ids=EDGES)
    names = {device.id: [tag.name for tag in device.tags] for device in read.document.devices}
    assert names["2"] == ["b"]
    if kind == "tag":
        assert names["1"] in (["a", "spoiled", "z"], ["a", "z"])
        assert ("spoiled" in names["1"]) == (not read.refusals)
    else:
        assert ("1" in names) == (not read.refusals)
    json.dumps([[refusal.path, refusal.message] for refusal in read.refusals]).encode()
    assert all(len(refusal.message) < 400 for refusal in read.refusals)


@given(st.binary(max_size=64) | ANYTHING.map(lambda value: json.dumps(value).encode()))
def test_no_body_raises_anything_else(body: bytes) -> None:
    with suppress(NotAConfig):
        assert read_document(body, expected_edge_ids=EDGES).document
