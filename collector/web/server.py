"""uvicorn as a guest on the collector's loop: no signals, no log, no process of its own."""

import asyncio
import contextlib
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp

MOST_CONNECTIONS = 128
CLOSE_WITHIN_S = 1


class QuietServer(uvicorn.Server):
    """Leaves the signals to the collector, and sleeps while nobody asks: its own loop wakes up ten times a second."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._leaving = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def main_loop(self) -> None:
        await self._leaving.wait()

    def leave(self) -> None:
        """Have `serve` come to its end."""
        self.should_exit = True
        self._leaving.set()


def quiet_server(app: ASGIApp) -> QuietServer:
    """Serves on sockets that are given to `serve`, until `leave`. The application adds the `Date` itself."""
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
            date_header=False,
            proxy_headers=False,
            limit_concurrency=MOST_CONNECTIONS,
            timeout_keep_alive=15,
            timeout_graceful_shutdown=CLOSE_WITHIN_S,
        )
    )
