"""Says in time that our own certificate ends: without a new one the broker will not let us in any more."""

import asyncio
from pathlib import Path

from collector.clock import Clock
from collector.delivery.mqtt.certificate import ends_at
from collector.status.board import Board

CODE = "certificate_expires"
EVERY_S = 6 * 3600.0
WARN_DAYS = 30
_DAY_MS = 86_400_000


class CertificateWatch:
    """Looks at ``MQTT_CERT_FILE``, which may be renewed at any time: the next connection uses what it has then."""

    def __init__(self, file: Path, board: Board, clock: Clock) -> None:
        self._file = file
        self._board = board
        self._clock = clock

    async def run(self) -> None:
        """Look now and four times a day, for ever."""
        while True:
            await self.look()
            await asyncio.sleep(EVERY_S)

    async def look(self) -> None:
        """Raise the condition 30 days before the end, clear it once there is a new certificate."""
        trouble = await asyncio.to_thread(self._trouble)
        if trouble is None:
            self._board.clear_condition(CODE)
        else:
            self._board.raise_condition(CODE, trouble)

    def _trouble(self) -> str | None:
        try:
            end = ends_at(self._file)
        except (OSError, ValueError) as error:
            return f"MQTT_CERT_FILE can not be read: {getattr(error, 'strerror', None) or error}"
        days = (end.timestamp() * 1000 - self._clock.wall_ms()) / _DAY_MS
        if days >= WARN_DAYS:
            return None
        return f"MQTT_CERT_FILE {'ended' if days < 0 else 'ends'} at {end:%Y-%m-%d %H:%M} UTC"
