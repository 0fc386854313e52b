"""An expression's text, cut into words."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

from protocols.errors import Refused

_PATTERN = re.compile(
    r"""
    (?P<space>\s+)
  | (?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
  | (?P<name>[^\W\d]\w*)
  | \[(?P<bracketed>(?:[^\]]|\]\])+)\]
  | (?P<sign>\*\*|<=|>=|==|!=|[-+*/%()<>,])
    """,
    re.VERBOSE,
)
_SHOWN = 80
KEYWORDS = frozenset({"and", "or", "not", "if", "else", "true", "false"})


class Kind(Enum):
    """What a word is."""

    NUMBER = auto()
    NAME = auto()
    SIGN = auto()
    """An operator, a parenthesis, a comma, or one of `KEYWORDS`."""
    END = auto()


@dataclass(frozen=True, slots=True)
class Word:
    """A word and where it begins, counted from 1."""

    kind: Kind
    text: str
    at: int
    bracketed: bool = False


def brief(text: str) -> str:
    """The text for a message, cut where it is long."""
    return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "…")


def words_of(text: str) -> Iterator[Word]:
    """The words, and `Kind.END` as the last. Raises `Refused` on ``expression`` for a character that has no place.

    In brackets a name may hold anything; a ``]`` of its own is written twice.
    """
    at = 0
    while at < len(text):
        found = _PATTERN.match(text, at)
        if found is None:
            raise Refused("expression", f"{text[at]!r} at character {at + 1} of {brief(text)} has no meaning here")
        match found.lastgroup:
            case "number":
                yield Word(Kind.NUMBER, found[0], at + 1)
            case "bracketed":
                name = found["bracketed"].replace("]]", "]").strip()
                yield Word(Kind.NAME, name, at + 1, bracketed=True)
            case "name":
                kind = Kind.SIGN if found[0].lower() in KEYWORDS else Kind.NAME
                yield Word(kind, found[0].lower() if kind is Kind.SIGN else found[0], at + 1)
            case "sign":
                yield Word(Kind.SIGN, found[0], at + 1)
        at = found.end()
    yield Word(Kind.END, "the end", len(text) + 1)
