"""uvicorn as a guest on the collector's loop: no signals, no log, no process of its own."""

import asyncio
import contextlib
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp

MOST_CONNECTIONS = 128
CLOSE_WITHIN_S = 1


class QuietServer(uvicorn.Server):
    """Leaves the signals to the collector, and the collector alone as long as nobody asks for anything.

    uvicorn looks ten times a second whether it is to end: on a small gateway that costs as much as polling does.
    """

    def __init__(self, config: uvicorn.Config) -> None:
        self._end = asyncio.Event()
        super().__init__(config)

    @property
    def should_exit(self) -> bool:
        """Whether it is to end; it ends at once when this is set."""
        return self._end.is_set()

    @should_exit.setter
    def should_exit(self, wanted: bool) -> None:
        if wanted:
            self._end.set()

    async def main_loop(self) -> None:
        """Serve until the end is wanted. What uvicorn does here besides is the time in answers: `Guard` does that."""
        await self._end.wait()

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
            date_header=False,
            proxy_headers=False,
            limit_concurrency=MOST_CONNECTIONS,
            timeout_keep_alive=15,
            timeout_graceful_shutdown=CLOSE_WITHIN_S,
        )
    )
