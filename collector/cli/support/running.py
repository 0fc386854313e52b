"""What the collector that runs says of itself, by its local API."""

import asyncio
import http.client
from collections.abc import AsyncIterator

from collector.settings import Settings
from collector.web.hosts import is_wildcard
from collector.web.token import FILE

ANSWER_S = 5.0
MOST_BYTES = 4 << 20
PATHS = {
    "status.json": "/api/v1/status",
    "devices.json": "/api/v1/devices",
    "config.json": "/api/v1/config",
    "events.json": "/api/v1/events",
    "alarms.json": "/api/v1/alarms",
    "log.json": "/api/v1/logs",
    "metrics.txt": "/metrics",
}


async def ask_running(settings: Settings) -> AsyncIterator[tuple[str, str]]:
    """Name and text of each answer; one text that says why where nobody answers."""
    if not settings.http_port:
        yield "none.txt", "HTTP_PORT=0: the collector says nothing of itself here\n"
        return
    for name, path in PATHS.items():
        try:
            yield name, await asyncio.to_thread(_get, settings, path)
        except (OSError, http.client.HTTPException) as error:
            yield "none.txt", f"no collector answers at {settings.http_host}:{settings.http_port}: {error}\n"
            return


def _get(settings: Settings, path: str) -> str:
    host = "127.0.0.1" if is_wildcard(settings.http_host) else settings.http_host
    connection = http.client.HTTPConnection(host, settings.http_port, timeout=ANSWER_S)
    try:
        connection.request("GET", path, headers=_token(settings))
        return connection.getresponse().read(MOST_BYTES).decode("utf-8", "replace")
    finally:
        connection.close()


def _token(settings: Settings) -> dict[str, str]:
    if settings.http_token is not None:
        return {"Authorization": f"Bearer {settings.http_token.get_secret_value()}"}
    try:
        return {"Authorization": f"Bearer {(settings.data_dir / FILE).read_text('ascii').strip()}"}
    except (OSError, ValueError):
        return {}
