"""The epoch: names one start of the collector, and is greater than that of every start before."""

from contextlib import suppress
from pathlib import Path

from collector.storage.folder import write_durably

_NOTE = "epoch"
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def base36(number: int) -> str:
    """A positive number in base 36: times of this century have 8 digits, so they sort as text."""
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits or "0"


def next_epoch(folder: Path, wall_ms: int, known: str | None) -> str:
    """The epoch of this start: now, or one more than the last where the wall clock lags behind it."""
    last = max(_number(known), _number(_read(folder / _NOTE)))
    return base36(max(wall_ms, last + 1))


def has_run(folder: Path) -> bool:
    """Whether an epoch was ever noted in the folder."""
    return (folder / _NOTE).exists()


def note_epoch(folder: Path, epoch: str) -> None:
    """Remember the epoch. Raises `OSError`.

    In a file of its own, because the case that needs it is a damaged database together with a clock that
    forgot the year.
    """
    if _read(folder / _NOTE) != epoch:
        write_durably(folder / _NOTE, epoch)


def _read(note: Path) -> str | None:
    with suppress(OSError, UnicodeDecodeError):
        return note.read_text(encoding="ascii").strip()
    return None


def _number(text: str | None) -> int:
    with suppress(ValueError):
        return int(text, 36) if text and len(text) <= 9 else 0
    return 0
