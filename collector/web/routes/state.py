"""The collector itself: status, buffer, configuration, events, log."""

import asyncio
from typing import Annotated, Literal

import orjson
from fastapi import APIRouter, Query, Request
from pydantic import JsonValue
from starlette.responses import Response

from collector.clock import iso_utc
from collector.commands.redaction import without_secrets
from collector.status.recent import Happening
from collector.web import reports, situation
from collector.web.catalogue import Catalogues
from collector.web.rendering import Json
from collector.web.sources import Sources

TRACE_POINTS = 360
MAX_REFUSALS = 1_000
_ALL_LEVELS = frozenset({"debug", "info", "warning", "error", "critical"})
_FROM: dict[str, frozenset[str]] = {
    "debug": _ALL_LEVELS,
    "info": _ALL_LEVELS - {"debug"},
    "warning": frozenset({"warning", "error", "critical"}),
    "error": frozenset({"error", "critical"}),
}


def state_routes(sources: Sources, catalogues: Catalogues) -> APIRouter:
    """None of them has a secret in it."""
    router = APIRouter(prefix="/api/v1", tags=["collector"])

    @router.get("/status", response_model=reports.Status)
    async def status(request: Request) -> Response:
        """All of it at one look."""
        changes = bool(request.state.trusted)
        return Json(situation.status(sources, await catalogues.now(), changes=changes))

    @router.get("/buffer", response_model=reports.Buffer)
    async def buffer() -> Response:
        """What waits for the broker, now and over the last day, and for the further sinks."""
        trace = reports.BufferColumns(*sources.buffer_trace.points(TRACE_POINTS))
        return Json(reports.Buffer(situation.buffer_now(sources), trace, situation.sinks_now(sources)))

    @router.get("/config", response_model=reports.Config)
    async def config() -> Response:
        """The document in force without its secrets, what of it was refused, and what was read leniently."""
        state, in_force = sources.board.config, sources.in_force()
        plan = None if in_force is None else in_force.plan
        return Json(
            reports.Config(
                version=state.version,
                source=state.source,
                applied=situation.iso(state.applied_ms),
                error=state.error,
                refused=[reports.Refused(p.path, p.code, p.message) for p in state.problems[:MAX_REFUSALS]],
                remarks=[reports.Noted(r.path, r.message) for r in plan.remarks[:MAX_REFUSALS]] if plan else [],
                document=None if in_force is None else await asyncio.to_thread(_shown, in_force.body),
            )
        )

    @router.get("/events", response_model=list[reports.Event])
    async def events(limit: Annotated[int, Query(ge=1, le=1_000)] = 200) -> Response:
        """What happened since the start, the newest first."""
        return Json([_event(event) for event in sources.events.newest(limit)])

    @router.get("/logs", response_model=list[reports.Line])
    async def logs(
        level: Literal["debug", "info", "warning", "error"] = "info",
        limit: Annotated[int, Query(ge=1, le=1_000)] = 300,
    ) -> Response:
        """The log's newest lines, of this level or worse, the newest first."""
        return Json([reports.Line(line.level, line.text) for line in sources.lines.newest(limit, _FROM[level])])

    return router


def _event(event: Happening) -> reports.Event:
    fields: dict[str, JsonValue] = orjson.loads(orjson.dumps(event.fields))
    return reports.Event(event.number, iso_utc(event.stamp_ms), event.kind, fields)


def _shown(body: bytes) -> JsonValue:
    """JSON of a server may hold numbers that are none elsewhere (NaN, a thousand digits): then it is shown as text."""
    document = without_secrets(body)
    try:
        shown: JsonValue = orjson.loads(orjson.dumps(document))
    except (TypeError, ValueError):
        return str(document)
    return shown
