"""What the lenient reader says of its work: where it stood, what it found, what it took that for."""

import json
import re
from dataclasses import dataclass, field
from decimal import Decimal

from pydantic import ValidationInfo

MAX_NOTES = 1_000
_MAX_SHOWN = 60
_SEARCHED = 1_000
"""The search for a log-in takes its square in the worst case."""
_LOGIN = re.compile(r"(://)[^\s/@\"]*:[^\s@\"]*@")


@dataclass(frozen=True, slots=True)
class Note:
    """A lenient reading: ``path`` is the JSON path of what was read, ``message`` tells what it was taken for."""

    path: str
    message: str


@dataclass(slots=True)
class Reading:
    """The validation context: where in the document the reader stands, and what it took for what."""

    path: str = ""
    notes: list[Note] = field(default_factory=list)
    _said: set[tuple[str, str]] = field(default_factory=set)

    @property
    def full(self) -> bool:
        """Whether no more notes are taken."""
        return len(self.notes) > MAX_NOTES

    def note(self, name: str | None, message: str) -> None:
        """Note a lenient reading of the field ``name`` at the present place."""
        if len(self.notes) < MAX_NOTES:
            self.notes.append(Note(joined(self.path, name), message))
        elif not self.full:
            self.notes.append(Note("", f"there are more than {MAX_NOTES:,} such readings; no more are listed"))

    def note_key(self, kind: str, key: str, message: str) -> None:
        """Note what was made of a key of this kind of object, at the first place only."""
        if not self.full and (kind, key) not in self._said:
            self._said.add((kind, key))
            self.note(printable(key), f"{message}, here and elsewhere")


def note_reading(info: ValidationInfo, found: object, taken: object) -> None:
    """Note that the field under validation was not written as it should be, and what it was taken for."""
    reading = info.context
    if isinstance(reading, Reading) and not reading.full:
        name = (info.field_name or "").rstrip("_")
        reading.note(name, f"{shown(found)} was read as {shown(taken)}")


def joined(path: str, name: str | None) -> str:
    """A JSON path: ``devices[0].tags[3]`` and ``scale`` make ``devices[0].tags[3].scale``."""
    return f"{path}.{name}" if path and name else path or name or ""


def shown(value: object) -> str:
    """A value as a message shows it: JSON, cut to a readable length; of lists and objects only that they are."""
    match value:
        case dict():
            return "an object"
        case list() | tuple():
            return "a list"
        case str():
            return json.dumps(printable(value), ensure_ascii=False)
        case Decimal() | float():
            return printable(str(value))
        case None | bool() | int():
            return printable(json.dumps(value))
        case _:
            return f"a {type(value).__name__}"


def printable(text: str) -> str:
    """Text cut to a readable length, without what UTF-8 can not carry and without a log-in in a URL."""
    text = _LOGIN.sub(r"\1***@", text[:_SEARCHED])
    cut = text if len(text) <= _MAX_SHOWN else text[:_MAX_SHOWN] + "…"
    return cut.encode("utf-8", "backslashreplace").decode()
