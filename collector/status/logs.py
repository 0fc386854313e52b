"""The log: one line an event, as text for a person or JSON for a machine, on standard output and into files."""

import asyncio
import logging
import sys
import time
from collections.abc import Callable, Iterable
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Literal

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from collector.settings.masking import Masking
from collector.status.log_files import LogFiles
from collector.status.log_limit import LineLimit
from collector.status.recent import MAX_LINES, RecentLines

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
RELEASE_EVERY_S = 5.0
_NUMBERS = logging.getLevelNamesMapping()

log = structlog.get_logger()


class Log:
    """The log as it was configured; to be closed at the end. `hide` takes one more secret that is never written."""

    def __init__(
        self, level: str, limit: LineLimit, lines: RecentLines, files: LogFiles | None, masked: Masking
    ) -> None:
        self.level = level
        self.lines = lines
        self.hide = masked.hide
        self._limit = limit
        self._files = files

    def set_level(self, level: str) -> None:
        """From now on: one of `LEVELS`."""
        self.level = level
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(_NUMBERS[level]))

    def recent(self, level: str) -> list[str]:
        """The last 1,000 lines, those of this level and above, oldest first, without colours and secrets."""
        names = frozenset(name.lower() for name, number in _NUMBERS.items() if number >= _NUMBERS[level])
        return [line.text for line in reversed(self.lines.newest(MAX_LINES, names))]

    async def keep_releasing(self) -> None:
        """Write what the limit holds back once its minute is over, for ever."""
        while True:
            await asyncio.sleep(RELEASE_EVERY_S)
            self._limit.release()

    def close(self) -> None:
        """Write what still waits."""
        self._limit.release(everything=True)
        if self._files is not None:
            self._files.close()


def configure_logs(
    level: str,
    form: Literal["text", "json"],
    site_tz: tzinfo | None,
    *,
    folder: Path | None = None,
    secrets: Iterable[str] = (),
) -> Log:
    """From now on. Text bears the site's own time, JSON is in UTC; colours only on a terminal.

    None of `secrets` is ever written. A folder that can not be written costs the files, not the start.
    """
    files, trouble = _open(folder)
    masked = Masking(secrets)
    limit = LineLimit(time.monotonic)
    recent = RecentLines()
    stamp = structlog.processors.TimeStamper(fmt="iso", utc=True) if form == "json" else _site_time(site_tz)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            limit,
            _without_control,
            stamp,
            _Lines(form, files, masked, recent),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_NUMBERS[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
        cache_logger_on_first_use=False,
    )
    if trouble is not None:
        log.warning("no log files", folder=str(folder), reason=trouble, meanwhile="the log goes to standard output")
    return Log(level, limit, recent, files, masked)


class _Lines:
    """The last processor: renders a line for standard output, and writes it to the files."""

    def __init__(
        self, form: Literal["text", "json"], files: LogFiles | None, masked: Masking, recent: RecentLines
    ) -> None:
        self._files = files
        self._recent = recent
        self._masked = masked
        self._render = _renderer(form, colors=sys.stdout.isatty())
        self._render_plain = _renderer(form, colors=False)

    def __call__(self, logger: WrappedLogger, method: str, event: EventDict) -> str:
        line = self._masked(self._render_plain(logger, method, dict(event)))
        self._recent.note(method, line)
        if self._files is not None:
            self._files.write(_NUMBERS[method.upper()], line)
        return self._masked(self._render(logger, method, event))


def _without_control(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """A device's name must not begin a line of its own, nor move the cursor of who reads it."""
    for name, value in event.items():
        if isinstance(value, str) and not value.isprintable():
            event[name] = "".join(each if each.isprintable() else repr(each)[1:-1] for each in value)
    return event


def _renderer(form: Literal["text", "json"], *, colors: bool) -> Callable[[WrappedLogger, str, EventDict], str]:
    if form == "json":
        as_json = structlog.processors.JSONRenderer(ensure_ascii=False)

        def render(logger: WrappedLogger, method: str, event: EventDict) -> str:
            return str(as_json(logger, method, structlog.processors.format_exc_info(logger, method, event)))

        return render
    # A plain traceback: one with local variables would show secrets.
    return structlog.dev.ConsoleRenderer(
        colors=colors, pad_event_to=0, exception_formatter=structlog.dev.plain_traceback
    )


def _open(folder: Path | None) -> tuple[LogFiles | None, str | None]:
    if folder is None:
        return None, None
    try:
        return LogFiles(folder), None
    except OSError as error:
        return None, error.strerror or str(error)


def _site_time(site_tz: tzinfo | None) -> Processor:
    def stamp(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        event["timestamp"] = datetime.now(site_tz).astimezone(site_tz).isoformat(" ", "milliseconds")
        return event

    return stamp
