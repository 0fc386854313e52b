"""Whatever is asked, by the description or against it: the answer is as described, and never an error of ours."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from hypothesis.strategies import SearchStrategy
from schemathesis import Case, GenerationMode
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from collector.web.routes import page as page_module
from tests.doubles.page_rig import TOKEN, PageRig
from tests.doubles.page_sources import HandAlarm

CASES = 12
BEARER = {"Authorization": f"Bearer {TOKEN}"}


def ask(cases: SearchStrategy[Case[Any]], url: str, mode: GenerationMode) -> int:
    """Some requests; those that keep to the description ask for what there is. How many."""
    asked = 0

    @given(case=cases)
    @settings(
        max_examples=CASES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def each(case: Case[Any]) -> None:
        nonlocal asked
        asked += 1
        if mode is GenerationMode.POSITIVE and asked % 4:
            for place in (case.query, case.body):
                if isinstance(place, dict) and "device_id" in place:
                    place |= {"device_id": "2", "tag": "level"}
        answer = case.call(base_url=url, headers=BEARER)
        assert answer.status_code < 500, (case.as_curl_command(), answer.text)
        if mode is GenerationMode.POSITIVE:
            checks = [status_code_conformance, content_type_conformance, response_schema_conformance]
            case.validate_response(answer, checks=checks)

    try:
        each()
    except Unsatisfiable:  # nothing contradicts the description of what has no parameters
        assert mode is GenerationMode.NEGATIVE
    return asked


@pytest.mark.timeout(120)
async def test_schemathesis_finds_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_module, "WRONG_TOKEN_PAUSE_S", 0)
    async with PageRig(tmp_path) as page:
        assert page.alarms is not None
        page.board.broker.connected = True
        page.feed("1", 온도=25.4)
        page.alarms.raise_alarm(HandAlarm(1, "1", "p", "온도", "high", value=71, limit=70))
        description = (await page.http.get("/openapi.json")).json()
        schema = schemathesis.openapi.from_dict(description).exclude(path="/api/v1/stream")
        operations = [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]
        assert len(operations) >= 22
        asked = 0
        for operation in operations:
            for mode in GenerationMode:
                asked += await asyncio.to_thread(ask, operation.as_strategy(generation_mode=mode), page.url, mode)
        assert asked > 200
