"""A large document that comes again with one tag changed."""

import json
import time

from collector.config.pace import Pace
from collector.config.planner import PlanOptions
from collector.config.replanning import Replanner
from fleet_client.reading import read_document
from tests.benchmarks.figures import Figure, Target
from tests.benchmarks.tags import TAGS, VARIANTS, document

EDGE = "edge-bench-reload"
_DEVICES = 10
_TARGETS = {_DEVICES: Target("<", 300)}


def measure(devices: int, rounds: int) -> list[Figure]:
    """So many devices of 1,000 tags, read, planned and paced once more after each change of one tag."""
    replanner, pace = Replanner(PlanOptions(EDGE)), Pace()
    body = large_document(devices)
    bodies = [body, *([with_one_tag_changed(body), body] * rounds)]
    took: list[float] = []
    for number, each in enumerate(bodies):
        begun = time.perf_counter()
        plan = replanner.plan(read_document(each, expected_edge_ids=(EDGE,)))
        pace.admit(plan, number * 60.0)
        took.append(time.perf_counter() - begun)
        assert plan.tag_count == devices * TAGS, plan.problems[:3]
    values = tuple(seconds * 1000 for seconds in took[1:])
    return [Figure("planning", f"{plan.tag_count:,} tags again, one changed", "ms", values, _TARGETS.get(devices))]


def large_document(devices: int = _DEVICES) -> bytes:
    """Devices of 1,000 tags at addresses of this machine where nobody answers."""
    variants = (VARIANTS[number % len(VARIANTS)] for number in range(devices))
    return document(EDGE, *(each.device(str(number), "127.0.0.1", 2 + number) for number, each in enumerate(variants)))


def with_one_tag_changed(body: bytes) -> bytes:
    """The same document with another scale of one tag."""
    sent = json.loads(body)
    sent["devices"][3]["tags"][500]["scale"] = 7
    return json.dumps(sent, ensure_ascii=False).encode()
