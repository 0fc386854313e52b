"""The log on standard output: one line an event, as text for a person or JSON for a machine."""

import logging
import sys
from datetime import datetime, tzinfo
from typing import Literal

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger


def configure_logs(level: str, form: Literal["text", "json"], site_tz: tzinfo | None) -> None:
    """From now on. Text bears the site's own time, JSON is in UTC; colours only on a terminal."""
    renderer: list[Processor]
    if form == "json":
        renderer = [
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ]
    else:
        # A plain traceback: one with local variables would show secrets.
        console = structlog.dev.ConsoleRenderer(
            colors=sys.stdout.isatty(), pad_event_to=0, exception_formatter=structlog.dev.plain_traceback
        )
        renderer = [_site_time(site_tz), console]
    structlog.configure(
        processors=[structlog.processors.add_log_level, *renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
        cache_logger_on_first_use=True,
    )


def _site_time(site_tz: tzinfo | None) -> Processor:
    def stamp(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        event["timestamp"] = datetime.now(site_tz).astimezone(site_tz).isoformat(" ", "milliseconds")
        return event

    return stamp
