"""From a document's bytes to a plan."""

import json
import time

from collector.config.planner import PlanOptions, plan_document
from fleet_client.reading import read_document
from tests.benchmarks.figures import Figure, Target
from tests.benchmarks.tags import TAGS, VARIANTS, document

_EDGE = "edge-bench-plan"
_DEVICES = 10


def measure(rounds: int) -> list[Figure]:
    """10 devices of 1,000 tags each: read, checked, and planned."""
    body = _document()
    took, bare = [], []
    for _ in range(rounds):
        begun = time.perf_counter()
        plan = plan_document(read_document(body, expected_edge_ids=(_EDGE,)), PlanOptions(_EDGE))
        took.append(time.perf_counter() - begun)
        assert plan.tag_count == _DEVICES * TAGS, plan.problems[:3]
        begun = time.perf_counter()
        json.loads(body)
        bare.append(time.perf_counter() - begun)
    return [Figure("planning", f"{plan.tag_count:,} tags, bytes → plan", "s", tuple(took), Target("<", 1), tuple(bare))]


def _document() -> bytes:
    devices = (
        VARIANTS[number % len(VARIANTS)].device(str(number), f"10.0.0.{number}", 502) for number in range(_DEVICES)
    )
    return document(_EDGE, *devices)
