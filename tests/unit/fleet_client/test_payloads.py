import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet_client.payloads import DataMeta, Response, data_body, mark_buffered, response_body

STAMP = "2026-04-17T08:00:00.123Z"


def strict(payload: bytes) -> dict[str, object]:
    """Parse as a strict back end does: valid UTF-8, no NaN, no repeated keys."""

    def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
        assert len(dict(pairs)) == len(pairs)
        return dict(pairs)

    def never(name: str) -> object:
        raise AssertionError(name)

    parsed = json.loads(payload.decode(), object_pairs_hook=unique, parse_constant=never)
    assert isinstance(parsed, dict)
    return parsed


def test_a_data_message_as_the_contract_shows_it() -> None:
    tags = {"temperature": 25.4, "pressure": 11.2, "status": True, "mode": "AUTO"}
    payload = data_body(STAMP, 4, 1, tags, DataMeta("mi4k2x9a", 1, {"flow": "timeout"}))
    assert payload == (
        b'{"timestamp":"2026-04-17T08:00:00.123Z","equipment_id":4,"connection_id":1,'
        b'"tags":{"temperature":25.4,"pressure":11.2,"status":true,"mode":"AUTO"},'
        b'"meta":{"epoch":"mi4k2x9a","seq":1,"quality":{"flow":"timeout"}}}'
    )


def test_without_equipment_and_without_meta() -> None:
    payload = data_body(STAMP, None, "프레스", {"온도": 1}, None)
    assert strict(payload) == {"timestamp": STAMP, "connection_id": "프레스", "tags": {"온도": 1}}
    assert mark_buffered(payload) == payload


def test_all_of_the_meta() -> None:
    payload = data_body(STAMP, None, 1, {}, DataMeta("e", 2, {"*": "timeout"}, "unsynced", (1, 3)))
    expected = {"epoch": "e", "seq": 2, "quality": {"*": "timeout"}, "clock": "unsynced", "part": [1, 3]}
    assert strict(payload)["meta"] == expected
    assert strict(mark_buffered(payload))["meta"] == expected | {"buffered": True}


@pytest.mark.parametrize("meta", [None, DataMeta("e", 1), DataMeta("e", 1, {"x": "uncertain"})])
def test_nothing_that_is_no_value_goes_out(meta: DataMeta | None) -> None:
    tags = {"good": [1, 2], "none": None, "nan": math.nan, "inf": -math.inf, "array": [[1.0, math.nan]], "null": "null"}
    sent = strict(data_body(STAMP, None, 1, tags, meta))
    assert sent["tags"] == {"good": [1, 2], "null": "null"}
    if meta is not None:
        assert sent["meta"] == {
            "epoch": "e",
            "seq": 1,
            "quality": {"none": "no_value", "nan": "not_a_number", "inf": "not_a_number", "array": "not_a_number"}
            | dict(meta.quality or {}),
        }


def test_the_word_null_in_a_text_changes_nothing() -> None:
    payload = data_body(STAMP, None, 1, {"a": "null"}, DataMeta("e", 1))
    assert strict(payload)["meta"] == {"epoch": "e", "seq": 1}


SCALARS = st.booleans() | st.integers() | st.floats() | st.text() | st.none()
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3), max_leaves=5)


@given(st.dictionaries(st.text(), VALUES), st.booleans())
def test_any_values_make_strict_json_that_can_be_marked(tags: dict[str, object], with_meta: bool) -> None:
    meta = DataMeta("e", 7) if with_meta else None
    payload = data_body(STAMP, None, 1, tags, meta)
    sent, marked = strict(payload), strict(mark_buffered(payload))
    assert None not in list(sent["tags"].values())  # type: ignore[attr-defined]
    if with_meta:
        assert marked.pop("meta") == {**sent.pop("meta"), "buffered": True}  # type: ignore[dict-item]
    assert marked == sent


@pytest.mark.parametrize("value", [2**64, -(2**63) - 1, 10**40])
def test_integers_beyond_64_bits_stay_exact(value: int) -> None:
    payload = data_body(STAMP, None, 1, {"온도": 0.1, "counter": value, "bad": math.nan}, DataMeta("e", 1))
    assert strict(payload)["tags"] == {"온도": 0.1, "counter": value}
    assert mark_buffered(payload).endswith(b',"buffered":true}}')


def test_a_tag_named_meta_is_no_meta() -> None:
    payload = data_body(STAMP, None, 1, {"a": '},"meta":{"epoch":', "meta": "epoch"}, None)
    assert mark_buffered(payload) == payload


def test_a_response_as_the_contract_shows_it() -> None:
    done = Response(
        command_id="c-1",
        id_key="command_id",
        command="write_tag",
        status="success",
        result={},
        error_code=None,
        error_message=None,
        timestamp=STAMP,
        duration_ms=12,
    )
    assert response_body(done) == (
        b'{"command_id":"c-1","command":"write_tag","status":"success","result":{},"error":null,'
        b'"timestamp":"2026-04-17T08:00:00.123Z","duration_ms":12}'
    )


def test_a_refusal_echoes_the_id_under_the_key_it_came_with() -> None:
    refused = Response(
        command_id=17,
        id_key="commandId",
        command=None,
        status="rejected",
        result={"raw": 2**70, "value": math.nan},
        error_code="invalid_command",
        error_message="kaputt",
        timestamp=STAMP,
        duration_ms=0,
    )
    assert strict(response_body(refused)) == {
        "command_id": 17,
        "commandId": 17,
        "command": None,
        "status": "rejected",
        "result": {"raw": 2**70, "value": None},
        "error": {"code": "invalid_command", "message": "kaputt"},
        "timestamp": STAMP,
        "duration_ms": 0,
    }
