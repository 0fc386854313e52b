"""The optional file of a site that says what may be written at all, whatever the configuration allows.

One pattern a line, ``device/tag``: ``*`` stands for anything, ``?`` for one character, ``[ab]`` for one of these. The
device is meant by its id or by its name. Blank lines and lines that begin with ``#`` say nothing.
"""

import asyncio
from fnmatch import fnmatchcase
from pathlib import Path

from collector.commands.outcome import CommandFailed
from collector.config.plan import DevicePlan
from collector.status.board import Board

MOST_BYTES = 1 << 20


class AllowList:
    """Reads the file anew for each command, so that an edit counts at once. Without a file all is allowed."""

    def __init__(self, path: Path | None, board: Board) -> None:
        self._path = path
        self._board = board

    async def check(self, device: DevicePlan, tags: list[str]) -> None:
        """Raises `CommandFailed` for the first tag that no pattern fits, and for any where the file can not be read."""
        if self._path is None:
            return
        patterns = await self.read()
        for tag in tags:
            if not any(fnmatchcase(f"{name}/{tag}", each) for each in patterns for name in (device.id, device.name)):
                message = f"{device.name}/{tag}: no line of WRITE_ALLOW_FILE ({self._path}) allows it"
                raise CommandFailed("rejected", "not_allowed", message)

    async def read(self) -> list[str]:
        """The patterns; none where the file can not be read, which is then said in the status."""
        if self._path is None:
            return []
        try:
            text = await asyncio.to_thread(_text, self._path)
        except (OSError, ValueError) as error:
            why = f"{self._path}: {error.strerror if isinstance(error, OSError) else error}"
            self._board.raise_condition("write_list_unreadable", f"no tag may be written; WRITE_ALLOW_FILE {why}")
            return []
        self._board.clear_condition("write_list_unreadable")
        lines = (line.strip() for line in text.splitlines())
        return [line for line in lines if line and not line.startswith("#")]


def _text(path: Path) -> str:
    with path.open("rb") as file:
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise ValueError(f"has over {MOST_BYTES:,} bytes")
    return content.decode("utf-8-sig")
