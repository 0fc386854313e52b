import json

from fleet_client import events

STAMP = "2026-04-17T08:00:00.123Z"
EARLIER = "2026-04-17T07:00:00.000Z"


def test_a_gap() -> None:
    payload = events.gap_event(
        STAMP, epoch="e", from_seq=5, to_seq=9, count=4, from_time=EARLIER, to_time=STAMP, reason="limit"
    )
    assert json.loads(payload) == {
        "type": "gap",
        "timestamp": STAMP,
        "epoch": "e",
        "from_seq": 5,
        "to_seq": 9,
        "count": 4,
        "from": EARLIER,
        "to": STAMP,
        "reason": "limit",
    }


def test_an_alarm() -> None:
    payload = events.alarm_event(
        STAMP, device_id="1", tag="온도", level="high", state="raised", value=81.5, limit=80, since=EARLIER
    )
    assert json.loads(payload) == {
        "type": "alarm",
        "timestamp": STAMP,
        "device_id": "1",
        "tag": "온도",
        "level": "high",
        "state": "raised",
        "value": 81.5,
        "limit": 80,
        "since": EARLIER,
    }


def test_the_short_ones() -> None:
    error = {"path": "devices[0]", "code": "missing", "message": "…"}
    bodies = {
        "restart": events.restart_event(STAMP, previous_epoch="d", last_recorded_seq=7),
        "drained": events.drained_event(STAMP, epoch="e", to_seq=9),
        "device": events.device_event(STAMP, device_id="1", name="프레스", state="offline", error="no route"),
        "config": events.config_event(STAMP, version="v1", state="applied", errors=[error]),
        "clock_step": events.clock_step_event(STAMP, by_sec=-3600),
    }
    contents: dict[str, dict[str, object]] = {
        "restart": {"previous_epoch": "d", "last_recorded_seq": 7},
        "drained": {"epoch": "e", "to_seq": 9},
        "device": {"device_id": "1", "name": "프레스", "state": "offline", "error": "no route"},
        "config": {"version": "v1", "state": "applied", "errors": [error]},
        "clock_step": {"by_sec": -3600},
    }
    for kind, content in contents.items():
        assert json.loads(bodies[kind]) == {"type": kind, "timestamp": STAMP, **content}
