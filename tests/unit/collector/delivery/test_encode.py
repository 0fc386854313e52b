"""The data message, to the letter of what subscribers build on."""

import itertools
import json

from hypothesis import given
from hypothesis import strategies as st

from collector.delivery.encode import ScanEncoder
from collector.polling.scan import Scan
from protocols.base import Value
from protocols.quality import Quality
from tests.doubles.driver import ScriptedDriver
from tests.doubles.plans import device_plan

STAMP_MS = 1_776_412_800_123


def encoder(*, meta: bool = True, send_empty: bool = False, max_bytes: int = 128 * 1024) -> ScanEncoder:
    counter = itertools.count(1)
    return ScanEncoder(
        topic=lambda: "vexplor/devices/edge-1/data",
        epoch="mi4k2x9a",
        next_seq=lambda: next(counter),
        meta=meta,
        send_empty=send_empty,
        max_bytes=lambda _: max_bytes,
    )


def scan_of(values: dict[str, Value | None], bad: dict[int, Quality] | None = None) -> Scan:
    plan = device_plan(ScriptedDriver(), [1])
    return Scan(plan, STAMP_MS, tuple(values), list(values.values()), bad or {})


def bodies(encoded: list) -> list[dict]:  # type: ignore[type-arg]
    return [json.loads(message.payload) for _, message in encoded]


def test_a_good_scan_is_one_message_in_the_configs_order() -> None:
    scan = scan_of({"temperature": 25.4, "pressure": 11.2, "status": True, "모드": "AUTO"})
    [(seq, message)] = encoder().messages(scan)
    assert seq == 1
    assert message.topic == "vexplor/devices/edge-1/data"
    assert message.payload.decode() == (
        '{"timestamp":"2026-04-17T08:00:00.123Z","connection_id":"1",'
        '"tags":{"temperature":25.4,"pressure":11.2,"status":true,"모드":"AUTO"},'
        '"meta":{"epoch":"mi4k2x9a","seq":1}}'
    )


def test_what_is_not_good_is_left_out_of_tags_and_named_in_quality() -> None:
    scan = scan_of({"a": 1, "b": None, "c": 3}, {1: Quality.TIMEOUT, 2: Quality.UNCERTAIN})
    [body] = bodies(encoder().messages(scan))
    assert body["tags"] == {"a": 1, "c": 3}
    assert body["meta"]["quality"] == {"b": "timeout", "c": "uncertain"}


def test_a_cycle_that_gave_nothing_sends_nothing_and_takes_no_number() -> None:
    mine = encoder()
    assert mine.messages(scan_of({"a": None}, {0: Quality.TIMEOUT})) == []
    assert [seq for seq, _ in mine.messages(scan_of({"a": 1}))] == [1]


def test_an_empty_cycle_is_told_when_asked_for() -> None:
    bad = dict.fromkeys(range(2), Quality.DISCONNECTED)
    [body] = bodies(encoder(send_empty=True).messages(scan_of({"a": None, "b": None}, bad)))
    assert body["tags"] == {}
    assert body["meta"]["quality"] == {"*": "disconnected"}


def test_without_meta_there_is_none() -> None:
    [body] = bodies(encoder(meta=False).messages(scan_of({"a": 1})))
    assert "meta" not in body


@given(
    st.lists(st.text(max_size=60), min_size=1, max_size=60),
    st.integers(300, 2000),
    st.booleans(),
)
def test_a_large_scan_is_split_and_its_parts_make_the_whole(texts: list[str], limit: int, spoilt: bool) -> None:
    values: dict[str, Value | None] = {f"tag{n:02d}": text for n, text in enumerate(texts)}
    values["missing"] = None
    bad = {len(texts): Quality.TIMEOUT}
    messages = encoder(max_bytes=limit).messages(scan_of(values, bad))
    parts = bodies(messages)
    together = [item for body in parts for item in body["tags"].items()]
    assert together == [(name, value) for name, value in values.items() if value is not None]
    assert [seq for seq, _ in messages] == list(range(1, len(messages) + 1)) == [b["meta"]["seq"] for b in parts]
    assert {body["timestamp"] for body in parts} == {"2026-04-17T08:00:00.123Z"}
    if len(parts) > 1:
        assert [body["meta"]["part"] for body in parts] == [[n, len(parts)] for n in range(1, len(parts) + 1)]
        assert all(len(m.payload) <= limit or len(b["tags"]) == 1 for (_, m), b in zip(messages, parts, strict=True))
    assert [body["meta"]["quality"] for body in parts if "quality" in body["meta"]] == [{"missing": "timeout"}]


def test_values_of_a_doubtful_time_are_marked_and_keep_their_stamp() -> None:
    doubts = iter((False, True))
    mine = ScanEncoder(
        topic=lambda: "t",
        epoch="mi4k2x9a",
        next_seq=itertools.count(1).__next__,
        meta=True,
        send_empty=False,
        clock_in_doubt=lambda: next(doubts),
    )
    first, second = (bodies(mine.messages(scan_of({"a": 1})))[0] for _ in range(2))
    assert "clock" not in first["meta"]
    assert second["meta"]["clock"] == "unsynced"
    assert first["timestamp"] == second["timestamp"]
