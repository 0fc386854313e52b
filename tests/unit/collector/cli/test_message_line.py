"""What `watch` says of a message."""

import orjson
import pytest

from collector.cli.message_line import MessageLines
from collector.cli.watch import summary, watch_topics
from simulators.ledger import Ledger

DATA = "vexplor/devices/edge-1/data"


class Watcher:
    """Feeds messages that came 25 ms after their stamp."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        self.lines = MessageLines(self.ledger)

    def raw(self, topic: str, payload: bytes) -> str:
        return self.lines.line(topic, payload, 1_776_412_800_025).plain

    def data(self, seq: int, **more: object) -> str:
        tags = {"온도": 25.4, "run": True, "mode": "AUTO"}
        body = {"timestamp": "2026-04-17T08:00:00.000Z", "connection_id": 1, "tags": tags}
        return self.raw(DATA, orjson.dumps({**body, "meta": {"epoch": "a", "seq": seq, **more}}))


def test_a_message_shows_time_edge_connection_values_and_delay() -> None:
    assert Watcher().data(1) == (
        "2026-04-17T08:00:00.000Z  edge-1  data      connection 1  온도=25.4  run=true  mode=AUTO  +25 ms"
    )


def test_gaps_repetitions_and_late_ones_are_marked() -> None:
    watcher = Watcher()
    endings = [watcher.data(seq).rpartition(" ms")[2].strip() for seq in (7, 8, 12, 12, 10, 13)]
    assert endings == ["", "", "GAP 9–11", "DUPLICATE of 12", "LATE 10", ""]
    assert summary(watcher.ledger, watcher.lines.messages) == (
        "6 messages; data: 5 distinct, 1 duplicates, 2 missing, 1 late, 0 without a number, 0 not understood; "
        "delay p50 25 ms, p99 25 ms"
    )


def test_quality_and_the_way_over_the_disk_are_told() -> None:
    line = Watcher().data(1, buffered=True, quality={"flow": "timeout"})
    assert "bad: flow=timeout" in line
    assert line.endswith("buffered")


def test_the_same_number_with_other_content_is_told_apart() -> None:
    watcher = Watcher()
    watcher.data(1)
    assert watcher.data(1, part=[1, 2]).endswith("DUPLICATE of 1 WITH OTHER CONTENT")


def test_status_events_and_responses_have_lines_too() -> None:
    watcher = Watcher()
    status = {"status": "online", "cpu_percent": 12.5, "devices": {"total": 3, "online": 2, "trouble": []}}
    assert watcher.raw("vexplor/devices/edge-1/status", orjson.dumps(status)).endswith(
        "status    status=online  cpu_percent=12.5  devices.total=3  devices.online=2"
    )
    event = {"type": "gap", "timestamp": "2026-04-17T08:00:01.000Z", "from_seq": 3, "to_seq": 5}
    assert watcher.raw("vexplor/devices/edge-1/events", orjson.dumps(event)) == (
        "2026-04-17T08:00:01.000Z  edge-1  events    gap  from_seq=3  to_seq=5"
    )
    response = {"command_id": "c-1", "status": "success", "result": {"version": "1"}, "timestamp": "t"}
    assert watcher.raw("vexplor/devices/edge-1/responses", orjson.dumps(response)).endswith(
        'responses command_id=c-1  status=success  result={"version":"1"}'
    )


def test_what_is_not_understood_costs_only_itself() -> None:
    watcher = Watcher()
    assert "not understood: <html>" in watcher.raw(DATA, b"<html>")
    assert "NOT UNDERSTOOD" in watcher.raw(DATA, orjson.dumps({"tags": {}, "meta": {"epoch": "?", "seq": 1}}))
    assert "time not understood" in watcher.raw(DATA, orjson.dumps({"timestamp": "noon", "tags": {"a": 1}}))
    assert watcher.ledger.unnumbered == 1
    assert watcher.data(1).endswith("+25 ms")


def test_nothing_heard_is_summed_up_as_well() -> None:
    assert summary(Ledger(), 0).endswith("no delay measured")


def test_a_bad_url_or_edge_is_told_without_what_may_be_a_password(capsys: pytest.CaptureFixture[str]) -> None:
    assert watch_topics("http://me:geheim@127.0.0.1", "+") == 2
    assert watch_topics("mqtt://127.0.0.1:99999", "+") == 2
    assert watch_topics("mqtt://127.0.0.1", "a/b") == 2
    said = capsys.readouterr().err
    assert "geheim" not in said
    assert [line.partition(":")[0] for line in said.splitlines()] == ["error"] * 3
