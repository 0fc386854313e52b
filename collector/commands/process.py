"""Commands about the process itself: `restart`, `set_log_level`, `get_logs`."""

import asyncio
from collections.abc import Callable, Mapping

from collector.commands.outcome import CommandFailed, Handler, Params
from collector.status.logs import LEVELS, Log

RESTART_AFTER_S = 0.5
LINES, MOST_LINES = 100, 1_000
MOST_BYTES = 48 * 1024
LONGEST_LINE = 4_000


class ProcessCommands:
    """`restart` is called half a second after its command: the answer has to be on its way first."""

    def __init__(self, log: Log, restart: Callable[[], None]) -> None:
        self._log = log
        self._restart = restart

    def handlers(self) -> dict[str, Handler]:
        """By the name of the command."""
        return {"restart": self._do_restart, "set_log_level": self._set_log_level, "get_logs": self._get_logs}

    async def _do_restart(self, params: Params) -> Mapping[str, object]:
        asyncio.get_running_loop().call_later(RESTART_AFTER_S, self._restart)
        return {"restarts_in_sec": RESTART_AFTER_S}

    async def _set_log_level(self, params: Params) -> Mapping[str, object]:
        level = _level(params.get("level"))
        if level is None:
            raise CommandFailed("rejected", "invalid_command", f"params.level is missing, expected {_EITHER}")
        before = self._log.level
        self._log.set_level(level)
        return {"level": level, "before": before, "until": "the next restart"}

    async def _get_logs(self, params: Params) -> Mapping[str, object]:
        lines = [line[:LONGEST_LINE] for line in self._log.recent(_level(params.get("level")) or "DEBUG")]
        wanted = lines[-_count(params.get("lines")) :]
        size = 0
        for kept, line in enumerate(reversed(wanted)):
            size += len(line.encode())
            if size > MOST_BYTES:
                wanted = wanted[len(wanted) - kept :]
                break
        return {"lines": wanted, "more": len(lines) - len(wanted)}


_EITHER = ", ".join(LEVELS)


def _level(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, str) and value.strip().upper() in LEVELS:
        return value.strip().upper()
    raise CommandFailed("rejected", "invalid_command", f"params.level is {value!r}, expected {_EITHER}")


def _count(value: object) -> int:
    if value is None:
        return LINES
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MOST_LINES:
        return value
    raise CommandFailed("rejected", "invalid_command", f"params.lines is {value!r}, expected 1 to {MOST_LINES}")
