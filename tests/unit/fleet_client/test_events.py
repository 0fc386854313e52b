"""Events as they go on the wire."""

import json

from fleet_client.events import event_body


def test_an_event_bears_its_kind_its_time_and_its_fields() -> None:
    body = event_body("drained", "2026-04-17T08:00:00.123Z", {"epoch": "mi4k2x9a", "to_seq": 7})
    assert json.loads(body) == {
        "type": "drained",
        "timestamp": "2026-04-17T08:00:00.123Z",
        "epoch": "mi4k2x9a",
        "to_seq": 7,
    }
