"""uvicorn as a guest on the collector's loop: no signals, no log, no process of its own."""

import contextlib
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp

MOST_CONNECTIONS = 128
CLOSE_WITHIN_S = 1


class QuietServer(uvicorn.Server):
    """Leaves the signals to the collector."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def quiet_server(app: ASGIApp) -> uvicorn.Server:
    """Serves on sockets that are given to `serve`, until `should_exit`."""
    return QuietServer(
        uvicorn.Config(
            app,
            loop="none",
            lifespan="off",
            ws="none",
            log_config=None,
            log_level="critical",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=MOST_CONNECTIONS,
            timeout_keep_alive=15,
            timeout_graceful_shutdown=CLOSE_WITHIN_S,
        )
    )
