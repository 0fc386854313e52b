"""`edge-collector support-bundle`: all that somebody far away has to know to help, in one file without secrets."""

import asyncio
import os
from pathlib import Path

from rich.console import Console
from rich.text import Text

from collector.cli.run import EXIT_SETTINGS, read_settings
from collector.cli.support.archive import stamp_of, write_archive
from collector.cli.support.contents import contents, secrets_known
from collector.clock import SystemClock
from collector.settings.masking import Masking

EXIT_NOT_WRITTEN = 1


def make_bundle(env_file: Path | None, output: Path | None, device: str | None, errors: Console) -> int:
    """Write it, for the owner's eyes only; returns the exit status. `device`: whose frames are told too."""
    settings = read_settings(env_file)
    if settings is None:
        return EXIT_SETTINGS
    clock = SystemClock()
    target = output or Path(f"edge-support-{settings.edge_id}-{stamp_of(clock.wall_ms())}.zip")
    try:
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        errors.print(Text(f"error: {target} can not be written: {error.strerror or error}", "red"))
        return EXIT_NOT_WRITTEN
    try:
        with os.fdopen(descriptor, "wb") as file, errors.status("looking ..."):
            texts = asyncio.run(contents(settings, device, clock))
            write_archive(file, texts, Masking(secrets_known(settings)), clock.wall_ms())
    except BaseException:  # also Ctrl-C: half a bundle helps nobody
        target.unlink()
        raise
    errors.print(Text(f"{target}: {len(texts)} files, {target.stat().st_size:,} bytes, secrets masked."))
    errors.print("It tells addresses, names of tags and some values of your plant: look through it before you send it.")
    return 0
