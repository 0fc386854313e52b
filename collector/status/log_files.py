"""The log in files, for who looks after the fact: `edge.log` has it all, `error.log` the warnings and errors."""

import logging
import logging.handlers
import queue
from pathlib import Path

EDGE_LOG_BYTES, EDGE_LOG_FILES = 8 << 20, 5
ERROR_LOG_BYTES, ERROR_LOG_FILES = 2 << 20, 5
_PLAIN = logging.Formatter("%(message)s")


class LogFiles:
    """Writes lines to rotating files, at most 50 MiB in all, in a thread of its own: a slow disk holds up nobody.

    Raises `OSError` where the folder can not be written.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        everything = _rotating(folder / "edge.log", EDGE_LOG_BYTES, EDGE_LOG_FILES, logging.DEBUG)
        errors = _rotating(folder / "error.log", ERROR_LOG_BYTES, ERROR_LOG_FILES, logging.WARNING)
        self._lines: queue.SimpleQueue[logging.LogRecord] = queue.SimpleQueue()
        self._listener = logging.handlers.QueueListener(self._lines, everything, errors, respect_handler_level=True)
        self._listener.start()

    def write(self, level: int, line: str) -> None:
        """One line of a `logging` level."""
        self._lines.put(logging.LogRecord("edge", level, "", 0, line, None, None))

    def close(self) -> None:
        """Write what still waits."""
        self._listener.stop()
        for handler in self._listener.handlers:
            handler.close()


def _rotating(path: Path, size: int, files: int, level: int) -> logging.Handler:
    handler = logging.handlers.RotatingFileHandler(path, maxBytes=size, backupCount=files - 1, encoding="utf-8")
    handler.setLevel(level)
    handler.setFormatter(_PLAIN)
    return handler
