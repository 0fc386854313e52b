"""`edge-collector run`: settings, signals, and the exit status."""

import asyncio
import os
import resource
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NoReturn

import structlog

from collector.cli.foreground import bound_end, until_signal
from collector.settings import Settings, SettingsError, load_settings
from collector.status.library_lines import take_library_lines
from collector.status.logs import Log, configure_logs

EXIT_SETTINGS = 2
EXIT_IN_USE = 3
EXIT_FAULT = 1
START_AGAIN = -1
FORCED_EXIT_S = 7.5

log = structlog.get_logger()


def run_collector(env_file: Path | None, *, dry_run: bool) -> int:
    """Run until a signal says otherwise; returns the exit status (2: the settings must be mended)."""
    settings = read_settings(env_file)
    if settings is None:
        return EXIT_SETTINGS
    _keep_to_ourselves()
    written = configure_logs(
        settings.log_level,
        settings.log_format,
        settings.site_tz,
        folder=settings.log_dir,
        secrets=settings.secrets,
    )
    take_library_lines()
    try:
        status = _run(settings, written, dry_run=dry_run)
    finally:
        written.close()
    if status == START_AGAIN:
        _start_again()
    return status


def _keep_to_ourselves() -> None:
    """What is written is for this user only; and no core file, which would have every secret in it."""
    os.umask(0o077)
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, hard))


def _start_again() -> NoReturn:
    """In place: nobody has to be there to start it, and systemd or Docker do not count it as an end."""
    bound_end(0)  # a timer outlives the program that it was set by
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606


def _run(settings: Settings, written: Log, *, dry_run: bool) -> int:
    for warning in settings.warnings:
        log.warning("setting", variable=warning.variable, message=warning.message)
    if dry_run:
        from collector.cli.dry_run import print_scans

        return _until_signal(lambda stop: print_scans(settings, stop))
    from collector.app import run

    return _until_signal(lambda stop: run(settings, stop, written, lambda: bound_end(FORCED_EXIT_S)))


def read_settings(env_file: Path | None) -> Settings | None:
    """The settings; None after every mistake in them was said."""
    try:
        return load_settings(env_file, os.environ)
    except SettingsError as error:
        from rich.console import Console
        from rich.markup import escape

        console = Console(stderr=True, soft_wrap=True)
        for problem in error.problems:
            console.print(f"[red]error:[/]   {escape(str(problem))}")
        for warning in error.warnings:
            console.print(f"[yellow]warning:[/] {escape(str(warning))}")
        console.print("Nothing was started. Mend these in the .env file or the environment; .env.example shows all.")
        return None


def _until_signal(work: Callable[[asyncio.Event], Awaitable[bool | None]]) -> int:
    """The exit status of `work`, `START_AGAIN` where it is true. An exit that hangs is forced in time for Docker."""
    from collector.storage.errors import DataFolderInUse

    try:
        again = until_signal(work, forced_exit_s=FORCED_EXIT_S, leave=_leave)
    except DataFolderInUse as error:
        log.error("can not start", reason=str(error))
        return EXIT_IN_USE
    except Exception as error:  # the last word before systemd or Docker start it again
        log.critical("ended by a fault of its own", exc_info=error)
        return EXIT_FAULT
    return START_AGAIN if again else 0


def _leave(again: bool | None) -> NoReturn:
    """Although a thread hangs."""
    if again:
        _start_again()
    os._exit(0)
