"""Keeps the page served as long as the collector runs. Whatever becomes of it, the collector goes on.

Nothing of FastAPI is loaded here: `importlib` does that in a thread, once polling has begun.
"""

import asyncio
import errno
import gc
import importlib
import socket
from typing import TYPE_CHECKING

import structlog

from collector.status.recent import TRACE_EVERY_S
from collector.web.hosts import is_loopback
from collector.web.sources import Sources
from collector.web.token import Token

if TYPE_CHECKING:
    from starlette.types import ASGIApp

log = structlog.get_logger()

POLLING_FIRST_S = 1.0
RETRY_S = 10.0
CONDITION = "page_unavailable"


async def serve_page(sources: Sources) -> None:
    """Serve for ever. A port in use, or any other trouble, is said once, is a condition, and is tried again."""
    settings = sources.settings
    secret = settings.http_token
    token = Token(secret.get_secret_value() if secret else None, settings.data_dir)
    await asyncio.sleep(POLLING_FIRST_S)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_trace(sources), name="buffer trace")
        while True:
            try:
                await _serve(sources, token)
            except OSError as error:
                _tell(sources, _reason(error, settings.http_host, settings.http_port))
            except Exception as error:  # noqa: BLE001 - a fault of the page must never cost a value
                _tell(sources, f"{type(error).__name__}: {error}")
            await asyncio.sleep(RETRY_S)


async def _serve(sources: Sources, token: Token) -> None:
    settings, board = sources.settings, sources.board
    with await asyncio.to_thread(_listening, settings.http_host, settings.http_port) as listener:
        closing = asyncio.Event()
        if not is_loopback(settings.http_host):
            await asyncio.to_thread(token.needed)
        app = await asyncio.to_thread(_application, sources, token, closing)
        gc.freeze()  # it lives on, and need not be gone through by every full garbage collection
        if CONDITION in board.conditions:
            log.info("the page can be had again", _thing="page")
        board.clear_condition(CONDITION)
        host, port = listener.getsockname()[:2]
        log.info(
            "page", url=f"http://{f'[{host}]' if ':' in host else host}:{port}/", asks_for_token=not is_loopback(host)
        )
        await _run(app, listener, closing)


async def _run(app: "ASGIApp", listener: socket.socket, closing: asyncio.Event) -> None:
    server = importlib.import_module("collector.web.server").quiet_server(app)
    serving = asyncio.ensure_future(server.serve(sockets=[listener]))
    try:
        await asyncio.shield(serving)
    finally:
        closing.set()
        server.leave()
        await serving


def _application(sources: Sources, token: Token, closing: asyncio.Event) -> "ASGIApp":
    importlib.import_module("collector.web.server")
    app: ASGIApp = importlib.import_module("collector.web.application").application(sources, token, closing)
    return app


def _listening(host: str, port: int) -> socket.socket:
    """Raises `OSError`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    (*_, address), *_ = socket.getaddrinfo(host.strip("[]"), port, family, socket.SOCK_STREAM)
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.setblocking(False)
    except OSError:
        listener.close()
        raise
    return listener


def _reason(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} of {host} is in use: end the other program or set HTTP_PORT"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{host} is no address of this machine: set HTTP_HOST"
    return f"{error.strerror or error} ({host}:{port})"


def _tell(sources: Sources, reason: str) -> None:
    if CONDITION not in sources.board.conditions:
        log.warning("no page", reason=reason, meanwhile="all else runs; tried again every 10 s", _thing="page")
    sources.board.raise_condition(CONDITION, reason)


async def _trace(sources: Sources) -> None:
    while True:
        sources.buffer_trace.note()
        await asyncio.sleep(TRACE_EVERY_S)
