"""`edge-collector buffer`: what waits in the outbox of a stopped collector, or of a running one."""

import asyncio
import os
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from pathlib import Path
from typing import BinaryIO, TypeVar

import orjson
from rich.console import Console
from rich.text import Text

from collector.delivery.inspection_door import NoAnswer, ask
from collector.delivery.report import figures, lines
from collector.settings import SettingsError, load_settings
from collector.storage.errors import DataFolderInUse, StorageFailed
from collector.storage.folder import outbox_folder
from collector.storage.inspection import Inspection, inspecting

EXIT_NOT_READ = 1
EXIT_SETTINGS = 2

ResultT = TypeVar("ResultT")


def show_stats(env_file: Path | None, data_dir: Path | None, sink: str = "") -> int:
    """Print the figures as JSON; returns the exit status: 0 shown, 1 not readable, 2 no settings."""
    return _write("stats", env_file, data_dir, sink, sys.stdout.buffer, indent=True)


def export(env_file: Path | None, data_dir: Path | None, file: Path | None, sink: str = "") -> int:
    """Write what waits as lines of JSON, to a new file or standard output; the exit status is as of `show_stats`."""
    if file is None:
        return _write("export", env_file, data_dir, sink, sys.stdout.buffer)
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        return _refused(f"{file} can not be written: {error.strerror or error}", EXIT_NOT_READ)
    with os.fdopen(descriptor, "wb") as target:
        return _write("export", env_file, data_dir, sink, target)


async def stats_of(folder: Path) -> str:
    """The figures of the outbox in a folder, as JSON. Raises `StorageFailed`, `NoAnswer`."""
    async with aclosing(_answer("stats", folder)) as answer:
        return "".join([line.decode() async for line in answer]) + "\n"


def _write(
    what: str, env_file: Path | None, data_dir: Path | None, sink: str, to: BinaryIO, *, indent: bool = False
) -> int:
    try:
        folder = outbox_folder(data_dir or load_settings(env_file, os.environ).data_dir, sink)
    except SettingsError as error:
        return _refused("\n".join([*map(str, error.problems), "Or say where, by --data-dir."]), EXIT_SETTINGS)
    try:
        asyncio.run(_copy(what, folder, to, indent=indent))
    except (StorageFailed, NoAnswer) as error:
        return _refused(str(error), EXIT_NOT_READ)
    except BrokenPipeError:
        return EXIT_NOT_READ
    return 0


async def _copy(what: str, folder: Path, to: BinaryIO, *, indent: bool) -> None:
    async with aclosing(_answer(what, folder)) as answer:
        async for line in answer:
            to.write(orjson.dumps(orjson.loads(line), option=orjson.OPT_INDENT_2) if indent else line)
            to.write(b"\n")
    to.flush()


async def _answer(what: str, folder: Path) -> AsyncGenerator[bytes]:
    """Out of the file, or from the collector that has it open."""
    try:
        with inspecting(folder) as inspection:

            async def look(job: Callable[[Inspection], ResultT], /) -> ResultT:
                return job(inspection)

            if what == "stats":
                yield orjson.dumps(await figures(look))
            else:
                async for line in lines(look):
                    yield line
    except DataFolderInUse:
        async for line in ask(folder, what):
            yield line


def _refused(why: str, status: int) -> int:
    Console(stderr=True, highlight=False, soft_wrap=True).print(Text(f"error: {why}", "red"))
    return status
