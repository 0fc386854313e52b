"""The page, its files, the log-in, the description of the API, and the metrics."""

import asyncio
from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, HTTPException, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from collector.web import answers
from collector.web.files import PageFile
from collector.web.guard import LOGIN
from collector.web.metrics import CONTENT_TYPE, Snapshot, exposition
from collector.web.sources import Sources
from collector.web.token import COOKIE, Token

WRONG_TOKEN_PAUSE_S = 0.5
COOKIE_AGE_S = 90 * 86_400


class TokenSent(BaseModel):
    """What `edge-collector page-url` printed behind ``#token=``."""

    token: Annotated[str, Field(max_length=512)]


def page_routes(sources: Sources, files: Mapping[str, PageFile], token: Token) -> APIRouter:
    """All that is not `/api/v1`, and the log-in."""
    router = APIRouter()

    @router.get("/", include_in_schema=False)
    async def page(request: Request) -> Response:
        return _file(files, "index.html", request)

    @router.get("/login", include_in_schema=False)
    async def login_page(request: Request) -> Response:
        return _file(files, "login.html", request)

    @router.get("/docs", include_in_schema=False)
    async def docs(request: Request) -> Response:
        return _file(files, "docs.html", request)

    @router.get("/static/{name}", include_in_schema=False)
    async def static(name: str, request: Request) -> Response:
        return _file(files, name, request)

    @router.get("/metrics", tags=["metrics"], response_class=Response, responses={200: {"content": {"text/plain": {}}}})
    async def metrics() -> Response:
        """For Prometheus."""
        return Response(await asyncio.to_thread(exposition, Snapshot.of(sources)), media_type=CONTENT_TYPE)

    @router.post(LOGIN, tags=["collector"], status_code=204, responses={401: {"model": answers.Refusal}})
    async def login(sent: TokenSent) -> Response:
        """Gives a browser that has the token a cookie in its place."""
        if not token.fits(sent.token):
            await asyncio.sleep(WRONG_TOKEN_PAUSE_S)
            raise HTTPException(401, "this is not the token: run edge-collector page-url on the gateway")
        answer = Response(status_code=204)
        answer.set_cookie(COOKIE, token.cookie(), max_age=COOKIE_AGE_S, httponly=True, samesite="strict")
        return answer

    return router


def _file(files: Mapping[str, PageFile], name: str, request: Request) -> Response:
    if (file := files.get(name)) is None:
        raise HTTPException(404, "there is no such file")
    headers = {"ETag": file.etag, "Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
    if request.headers.get("if-none-match") == file.etag:
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(file.packed, media_type=file.media_type, headers={**headers, "Content-Encoding": "gzip"})
    return Response(file.plain, media_type=file.media_type, headers=headers)
