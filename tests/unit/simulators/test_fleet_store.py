import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.fleet.store import Store
from simulators.stamps import stamp

NOW_MS = 1_776_412_800_000


def feed_data(store: Store, at_ms: int, *, connection: int = 1, edge: str = "edge-a", **tags: object) -> None:
    message = {"timestamp": stamp(at_ms), "equipment_id": 4, "connection_id": connection, "tags": tags}
    store.feed(f"vexplor/devices/{edge}/data", orjson.dumps(message), NOW_MS)


def feed_status(store: Store, message: object) -> None:
    store.feed("vexplor/devices/edge-a/status", orjson.dumps(message), NOW_MS)


def test_a_value_becomes_a_row_and_the_latest_value() -> None:
    store = Store()
    feed_data(store, NOW_MS, 온도=25.4)
    [row] = store.data("edge-a")
    assert (row.edge_id, row.equipment_id, row.connection_id, row.tag, row.value) == (
        "edge-a",
        4,
        1,
        "온도",
        25.4,
    )
    assert row.timestamp == "2026-04-17T08:00:00.000Z"
    assert store.latest("edge-a") == {"온도": row}
    assert store.latest("edge-b") == {}


def test_a_late_value_is_a_row_but_not_the_latest() -> None:
    store = Store()
    feed_data(store, NOW_MS, a=2)
    feed_data(store, NOW_MS - 60_000, a=1)
    assert store.latest("edge-a")["a"].value == 2
    assert [row.value for row in store.data("edge-a")] == [1, 2]


def test_the_same_value_again_is_no_second_row() -> None:
    store = Store()
    for _ in range(3):
        feed_data(store, NOW_MS, a=1, b=2)
    assert (len(store.rows), store.duplicates, store.messages) == (2, 4, 3)


def test_connections_are_kept_apart() -> None:
    store = Store()
    feed_data(store, NOW_MS, connection=1, a=1)
    feed_data(store, NOW_MS + 1, connection=2, a=2)
    assert len(store.rows) == 2
    assert store.latest("edge-a")["a"].value == 2
    assert store.latest("edge-a", connection_id="1")["a"].value == 1


def test_the_oldest_rows_go_when_it_is_full() -> None:
    store = Store(max_rows=3)
    for number in range(5):
        feed_data(store, NOW_MS + number, a=number)
    assert [row.value for row in store.data("edge-a")] == [4, 3, 2]
    assert [row.value for row in store.data("edge-a", limit=1)] == [4]


def test_a_heartbeat_registers_and_a_farewell_of_a_stranger_does_not() -> None:
    store = Store()
    feed_status(store, {"status": "offline"})
    assert store.edges == {}
    feed_status(store, {"cpu_percent": 3, "memory_percent": 40.5, "ip_address": "10.0.0.7", "status": "online"})
    feed_status(store, {"status": "offline", "reason": "shutdown"})
    edge = store.edges["edge-a"]
    assert edge.status == "offline"
    first = edge.heartbeats[0]
    assert (first.cpu_percent, first.memory_percent, first.disk_percent) == (3, 40.5, None)
    assert (first.ip_address, first.received_at) == ("10.0.0.7", "2026-04-17T08:00:00.000Z")


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        ("data", b"{"),
        ("data", b"[1]"),
        ("data", b'{"tags": {}}'),
        ("data", b'{"timestamp": "soon", "tags": {"a": 1}}'),
        ("data", b'{"timestamp": "2026-04-17T08:00:00Z", "tags": [1]}'),
        ("data", b'{"timestamp": "2026-04-17T08:00:00Z", "connection_id": {}, "tags": {"a": 1}}'),
        ("data", b'{"timestamp": "2026-04-17T08:00:00Z", "tags": {"a": NaN}}'),
        ("status", b'{"cpu_percent": "much", "status": "online"}'),
    ],
)
def test_a_message_that_is_not_understood_is_counted_and_stores_nothing(kind: str, payload: bytes) -> None:
    store = Store()
    store.feed(f"vexplor/devices/edge-a/{kind}", payload, NOW_MS)
    assert (store.refused, len(store.rows), store.edges) == (1, 0, {})
    assert f"edge-a/{kind}" in (store.last_refused or "")


def test_events_and_responses_are_kept_as_they_came() -> None:
    store = Store()
    store.feed("vexplor/devices/edge-a/events", b'{"type": "gap", "count": 3}', NOW_MS)
    store.feed("vexplor/devices/edge-a/responses", b'{"command_id": "c-1"}', NOW_MS)
    store.feed("elsewhere", b"?", NOW_MS)
    assert store.events[0] == {
        "edge_id": "edge-a",
        "received_at": "2026-04-17T08:00:00.000Z",
        "type": "gap",
        "count": 3,
    }
    assert store.responses[0]["command_id"] == "c-1"
    assert store.messages == 2


@given(st.binary(max_size=40), st.sampled_from(["data", "status", "events", "responses", "commands"]))
def test_no_payload_can_break_it(payload: bytes, kind: str) -> None:
    Store().feed(f"vexplor/devices/edge-a/{kind}", payload, NOW_MS)
