"""Every folder of ``tests/cases`` is a document as somebody sent it, and what must come of it.

``expected.json`` holds either ``not_a_config`` (a part of the message) or what is read: ``devices`` (id to tag
names), ``refusals`` (path to code), ``notes`` (paths) and, of ``read``, some values by path; an exact decimal is
written as text.
"""

import json
import re
from decimal import Decimal
from pathlib import Path

import pytest

from fleet_client.errors import NotAConfig
from fleet_client.reading import ReadDocument, read_document

CASES = Path(__file__).parents[2] / "cases"
EDGE_IDS = ("spifox-001", "edge-spifox-001")


@pytest.mark.parametrize("case", sorted(CASES.iterdir()), ids=lambda case: case.name)
def test_case(case: Path) -> None:
    body = (case / "document.json").read_bytes()
    expected = json.loads((case / "expected.json").read_text("utf-8"))
    if "not_a_config" in expected:
        with pytest.raises(NotAConfig, match=re.escape(expected["not_a_config"])):
            read_document(body, expected_edge_ids=EDGE_IDS)
        return
    read = read_document(body, expected_edge_ids=EDGE_IDS)
    assert {device.id: [tag.name for tag in device.tags] for device in read.document.devices} == expected["devices"]
    assert {refusal.path: refusal.code for refusal in read.refusals} == expected.get("refusals", {})
    assert sorted(note.path for note in read.notes) == sorted(expected.get("notes", []))
    for path, value in expected.get("read", {}).items():
        assert _at(read, path) == value, path


def _at(read: ReadDocument, path: str) -> object:
    value: object = read.document.model_dump()
    for step in re.findall(r"[^.\[\]]+", path):
        value = value[int(step)] if isinstance(value, tuple) else value[step]  # type: ignore[index]
    return str(value) if isinstance(value, Decimal) else value
