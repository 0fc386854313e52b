"""What libraries say goes the way of every other line: limited, masked, in the form that was chosen."""

import logging
import threading

import structlog
from structlog.typing import ExcInfo

from collector.status.log_limit import THING

log = structlog.get_logger()


def take_library_lines() -> None:
    """From now on, of this process: warnings and errors of Python's own logging, and of threads that fail."""
    logging.basicConfig(handlers=[_ToLog()], level=logging.WARNING, force=True)
    threading.excepthook = _note_failed_thread


class _ToLog(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        about = {"library": record.name, "said": record.getMessage(), THING: f"{record.name}: {record.msg}"}
        log.log(record.levelno, "a library said", exc_info=record.exc_info or None, **about)


def _note_failed_thread(failed: threading.ExceptHookArgs) -> None:
    if failed.exc_type is SystemExit or failed.exc_value is None:
        return
    error: ExcInfo = (failed.exc_type, failed.exc_value, failed.exc_traceback)
    log.error("a thread failed", thread=failed.thread.name if failed.thread else None, exc_info=error)
