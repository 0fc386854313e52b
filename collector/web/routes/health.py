"""For those who watch over the process: does it live, is it ready, does anything flow."""

from fastapi import APIRouter
from starlette.responses import Response

from collector.web import reports, situation
from collector.web.catalogue import Catalogues
from collector.web.rendering import Json
from collector.web.sources import Sources


def health_routes(sources: Sources, catalogues: Catalogues) -> APIRouter:
    """Open to everybody, and therefore without a word of what is configured."""
    router = APIRouter(tags=["health"])

    @router.get("/health", response_model=reports.Health, responses={503: {"model": reports.Health}})
    async def health() -> Response:
        """How it does: 503 when nothing flows."""
        found = situation.health(sources, await catalogues.now())
        return Json(found, 503 if found.status == "failing" else 200)

    @router.get("/liveness", response_model=reports.Liveness)
    async def liveness() -> Response:
        """Whether the process answers."""
        return Json(reports.Liveness())

    @router.get("/readiness", response_model=reports.Readiness, responses={503: {"model": reports.Readiness}})
    async def readiness() -> Response:
        """Whether a configuration is applied and the outbox can write; 503 when not."""
        found = situation.readiness(sources)
        return Json(found, 200 if found.ready else 503)

    return router
