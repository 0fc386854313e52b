"""The ASGI application: all routes behind the guard. Loaded only where the page is on."""

import asyncio

import structlog
from fastapi import FastAPI, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp

from collector import __version__
from collector.storage.errors import StorageFailed
from collector.web.catalogue import Catalogues
from collector.web.files import page_files
from collector.web.guard import Guard
from collector.web.heads import answering_head
from collector.web.hosts import AllowedHosts, is_loopback
from collector.web.routes.alarms import alarm_routes
from collector.web.routes.health import health_routes
from collector.web.routes.live import live_routes
from collector.web.routes.measured import measured_routes
from collector.web.routes.page import page_routes
from collector.web.routes.state import state_routes
from collector.web.routes.stream import stream_routes
from collector.web.sources import Sources
from collector.web.token import Token

log = structlog.get_logger()

ABOUT = "What this gateway reads, what it kept, and how it does. Read only but for thresholds and acknowledgement."
_ROUTERS_WORDS = {
    "Not Found": "there is no such route; /docs lists them",
    "Method Not Allowed": "this route does not take this method; /docs lists which it takes",
}


def application(sources: Sources, token: Token, closing: asyncio.Event) -> ASGIApp:
    """To be made in a thread: it takes some hundred milliseconds. Streams end when `closing` is set."""
    api = FastAPI(
        title="edge-collector", version=__version__, description=ABOUT, docs_url=None, redoc_url=None,
        redirect_slashes=False,
    )  # fmt: skip
    catalogues = Catalogues(sources.in_force)
    api.include_router(health_routes(sources, catalogues))
    api.include_router(live_routes(sources, catalogues))
    api.include_router(stream_routes(sources, catalogues, closing))
    api.include_router(measured_routes(sources, catalogues))
    api.include_router(alarm_routes(sources, catalogues))
    api.include_router(state_routes(sources, catalogues))
    api.include_router(page_routes(sources, page_files(), token))
    api.add_exception_handler(RequestValidationError, _name_the_field)
    api.add_exception_handler(HTTPException, _for_a_person)
    api.add_exception_handler(StorageFailed, _disk_away)
    api.add_exception_handler(Exception, _own_fault)
    settings = sources.settings
    hosts = AllowedHosts(settings.http_host, settings.http_allowed_hosts)
    return Guard(answering_head(api), hosts, token, sources.clock, open_reading=is_loopback(settings.http_host))


async def _name_the_field(request: Request, error: Exception) -> JSONResponse:
    """422 with place and reason of each mistake; what was sent is not sent back."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 - it is registered for no other
    mistakes = [
        {"loc": e["loc"], "msg": e["msg"].removeprefix("Value error, "), "type": e["type"]} for e in error.errors()
    ]
    return JSONResponse({"detail": jsonable_encoder(mistakes)}, 422)


async def _for_a_person(request: Request, error: Exception) -> JSONResponse:
    """The routes' own refusals as they are; those of the router, which knows no more than the status, in words."""
    assert isinstance(error, HTTPException)  # noqa: S101 - it is registered for no other
    return JSONResponse({"detail": _ROUTERS_WORDS.get(error.detail, error.detail)}, error.status_code, error.headers)


async def _disk_away(request: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"detail": f"what is on disk can not be read now: {error}"}, 503)


async def _own_fault(request: Request, error: Exception) -> JSONResponse:
    log.error("the page could not answer", path=request.url.path, exc_info=error)
    return JSONResponse({"detail": "an error of the collector itself; the log has it"}, 500)
