"""The log in memory, where it can not garble a live view."""

import logging
import sys
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog
from structlog.typing import EventDict, WrappedLogger

from collector.clock import SystemClock
from collector.status.log_limit import THING

_KEPT = 200


@dataclass(frozen=True, slots=True)
class Line:
    """One event: local time of day, level in lower case, and what happened."""

    time: str
    level: str
    text: str


class Ring:
    """The newest events, oldest first. `echo` is called with each as it comes."""

    def __init__(self, echo: Callable[[Line], None] | None = None) -> None:
        self.lines: deque[Line] = deque(maxlen=_KEPT)
        self._echo = echo
        self._clock = SystemClock()

    def say(self, text: str, level: str = "info") -> None:
        """Put one in. Also called from threads."""
        now = datetime.fromtimestamp(self._clock.wall_ms() / 1000).astimezone()
        line = Line(f"{now:%H:%M:%S}", level, " ".join(text.split()))
        self.lines.append(line)
        if self._echo is not None:
            self._echo(line)

    def catch_logs(self) -> None:
        """From now on all that this process logs comes here: ours from `info`, the libraries' from `warning` on."""
        structlog.configure(
            processors=[structlog.processors.add_log_level, self._take],
            wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
            cache_logger_on_first_use=True,
        )
        logging.basicConfig(handlers=[_Handler(self)], level=logging.WARNING, force=True)
        logging.captureWarnings(True)

    def _take(self, logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        event.pop(THING, None)
        level, text, fault = str(event.pop("level")), str(event.pop("event")), event.pop("exc_info", None)
        details = [f"{name}={value}" for name, value in event.items()]
        if fault:
            details.append(repr(fault if isinstance(fault, BaseException) else sys.exc_info()[1]))
        self.say(" ".join((text, *details)), level)
        raise structlog.DropEvent


class _Handler(logging.Handler):
    def __init__(self, ring: Ring) -> None:
        super().__init__()
        self._ring = ring

    def emit(self, record: logging.LogRecord) -> None:
        self._ring.say(f"{record.name}: {record.getMessage()}", record.levelname.lower())
