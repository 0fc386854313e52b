"""A thousand spoilt documents through the real process: it lives, and the good device never notices."""

import asyncio
import json
import os
from collections import deque
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import pytest

from simulators.http import HttpResponse
from tests.doubles.hall import EDGE_ID, Hall, modbus_device
from tests.doubles.spoilt_documents import corpus, every_field

STEP = 13
"""Every so many-th document in an ordinary run: prime to the number of values, so that all of these come.
``CORPUS=all`` takes them all, in a minute and a half."""


@pytest.mark.timeout(150)
async def test_f2_f6_a_thousand_documents_cost_neither_the_process_nor_the_good_device(tmp_path: Path) -> None:
    async with Hall(tmp_path, CONFIG_SYNC_INTERVAL_SEC=3600, LOG_LEVEL="ERROR") as hall:
        good = await hall.plc()
        document = {
            "version": "v", "edge_id": EDGE_ID, "edge_name": "엣지", "aggregation_interval_sec": 60,
            "local_retention_days": 7, "devices": [modbus_device(good, "1"), every_field()],
        }  # fmt: skip
        bodies = list(corpus(document, lambda place: place[:2] == ("devices", 0) or place == ("devices",)))
        assert len(bodies) >= 1_000
        bodies = bodies[:: 1 if os.environ.get("CORPUS") == "all" else STEP]
        hall.configure(*cast(list[dict[str, Any]], document["devices"]))
        hall.collector.start()
        await hall.until(lambda: hall.values("r0"), what="data")
        waiting = deque(bodies)

        async def next_of_the_corpus(response: HttpResponse) -> HttpResponse:
            return HttpResponse(200, waiting.popleft().encode(), {"Content-Type": "application/json"})

        answers: list[object] = []
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(hall.fleet.faults, "spoil", next_of_the_corpus)
            while waiting:
                asked = [hall.fleet.command(EDGE_ID, "reload_config") for _ in range(min(40, len(waiting)))]
                answers += [answer["status"] for answer in await asyncio.gather(*asked)]
        assert set(answers) == {"success", "error"}
        assert answers.count("success") > 0.6 * len(bodies)

        hall.fleet.faults.body = json.dumps({**document, "version": "the end"})
        response = await hall.fleet.command(EDGE_ID, "reload_config")
        assert cast(dict[str, object], response["result"])["version"] == "the end"
        gaps = [later - sooner for sooner, later in pairwise(good.record.arrivals()[5:])]
        assert max(gaps) < 1.0
        assert good.record.connections == 1
        assert hall.account().holes() == []
        assert "Traceback" not in hall.collector.log
        assert (await hall.collector.stop())[0] == 0
