"""From a document's bytes to a plan."""

import json
import time

from collector.config.planner import PlanOptions, plan_document
from fleet_client.reading import read_document
from tests.benchmarks.figures import Figure, Target
from tests.benchmarks.tags import TAGS, VARIANTS, document

_EDGE = "edge-bench-plan"
TARGETS = {10: Target("<", 1)}
"""By devices of 1,000 tags each, in seconds."""


def measure(devices: int, rounds: int) -> list[Figure]:
    """So many devices of 1,000 tags each: read, checked, and planned."""
    body = _document(devices)
    took, bare = [], []
    for _ in range(rounds):
        begun = time.perf_counter()
        plan = plan_document(read_document(body, expected_edge_ids=(_EDGE,)), PlanOptions(_EDGE))
        took.append(time.perf_counter() - begun)
        assert plan.tag_count == devices * TAGS, plan.problems[:3]
        begun = time.perf_counter()
        json.loads(body)
        bare.append(time.perf_counter() - begun)
    name = f"{plan.tag_count:,} tags, bytes → plan"
    return [Figure("planning", name, "s", tuple(took), TARGETS.get(devices), tuple(bare))]


def _document(devices: int) -> bytes:
    entries = (
        VARIANTS[number % len(VARIANTS)].device(str(number), f"10.0.{number // 250}.{number % 250 + 1}", 502)
        for number in range(devices)
    )
    return document(_EDGE, *entries)
