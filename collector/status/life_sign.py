"""In a container, where nobody hears sd_notify: a file that tells when all last lived, and an end for what hangs."""

import faulthandler
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

VARIABLE = "ALIVE_FILE"
PATIENCE_S = 60.0

_STDERR = 2


def alive_file(environ: Mapping[str, str]) -> Path | None:
    """Which file it is; None where nobody looks."""
    named = environ.get(VARIABLE, "")
    return Path(named) if named else None


class LifeSign:
    """Renews the file. A process that has not renewed it for a minute writes where each thread stands, and ends.

    Docker restarts what has ended, and leaves alone what hangs. `monotonic` is that of the machine, for whoever
    reads the file is another process; the file's own time would jump with the clock.
    """

    def __init__(self, file: Path, monotonic: Callable[[], float]) -> None:
        self._file = file
        self._monotonic = monotonic

    def renew(self) -> None:
        """All that must live does."""
        with suppress(RuntimeError):  # no thread left for it: the next renewal tries again
            faulthandler.dump_traceback_later(PATIENCE_S, exit=True, file=_STDERR)
        draft = self._file.with_name(self._file.name + ".new")
        with suppress(OSError):  # no room or no descriptor: whoever looks will draw his own conclusion
            draft.write_text(f"{self._monotonic()}\n", encoding="ascii")
            draft.replace(self._file)

    def end(self) -> None:
        """It ends in order: what follows has a time limit of its own."""
        faulthandler.cancel_dump_traceback_later()


def age_s(file: Path, monotonic: Callable[[], float]) -> float:
    """Seconds since the file was renewed. Raises `OSError` where there is none, `ValueError` where it says nothing."""
    return monotonic() - float(file.read_text(encoding="ascii"))
