"""What one look found."""

from dataclasses import dataclass
from enum import StrEnum


class Mark(StrEnum):
    """How it is; only `BAD` makes the exit status 1."""

    GOOD = "ok"
    NOTE = "note"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: what was looked at, what it said, and what is to be done where it is not well."""

    mark: Mark
    subject: str
    said: str
    remedy: str = ""

    @property
    def plain(self) -> str:
        """The line without colours."""
        return f"{self.mark:<5} {self.subject}: {self.said}" + (f" -> {self.remedy}" if self.remedy else "")


def good(subject: str, said: str) -> Finding:
    """As it should be."""
    return Finding(Mark.GOOD, subject, said)


def note(subject: str, said: str, remedy: str = "") -> Finding:
    """It works; somebody should know all the same."""
    return Finding(Mark.NOTE, subject, said, remedy)


def bad(subject: str, said: str, remedy: str) -> Finding:
    """It does not work."""
    return Finding(Mark.BAD, subject, said, remedy)
