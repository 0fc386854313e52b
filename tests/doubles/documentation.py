"""The documentation as a reader has it: its fenced blocks, and what their info strings say of them."""

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = (
    *(ROOT / name for name in ("README.md", "README.ko.md", "CHANGELOG.md", "SECURITY.md")),
    *sorted((ROOT / "docs").glob("*.md")),
)

_FENCE = re.compile(r"^ {0,3}(`{3,})(.*)$")
_LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block. ``json document refused=a,b`` is the language, the kind, and the attributes."""

    page: Path
    line: int
    kind: str
    attributes: Mapping[str, str]
    text: str

    @property
    def where(self) -> str:
        """For messages and test ids."""
        return f"{self.page.name}:{self.line}"

    def listed(self, attribute: str) -> list[str]:
        """An attribute's values, separated by commas in the info string."""
        return sorted(value for value in self.attributes.get(attribute, "").split(",") if value)


def blocks_of(page: Path) -> Iterator[Block]:
    """The page's blocks in order. Raises `ValueError` for one that is never closed."""
    lines = iter(enumerate(page.read_text("utf-8").splitlines(), start=1))
    for number, line in lines:
        if opening := _FENCE.match(line):
            fence, info = opening.groups()
            words = shlex.split(info)
            kind = " ".join(word for word in words if "=" not in word)
            attributes = dict(word.split("=", 1) for word in words if "=" in word)
            yield Block(page, number, kind, attributes, _body(lines, fence, f"{page.name}:{number}"))


def all_blocks() -> list[Block]:
    """The blocks of all pages."""
    return [block for page in PAGES for block in blocks_of(page)]


def links_of(page: Path) -> list[str]:
    """Where the page's links go, those in blocks left out."""
    return _LINK.findall(prose_of(page))


def anchors_of(page: Path) -> set[str]:
    """The page's headings as a git host makes anchors of them."""
    headings = re.findall(r"^#+ (.+)$", prose_of(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def prose_of(page: Path) -> str:
    """The page without its blocks."""
    kept: list[str] = []
    fence = ""
    for line in page.read_text("utf-8").splitlines():
        if fence:
            fence = "" if line.strip() == fence else fence
        elif opening := _FENCE.match(line):
            fence = opening[1]
        else:
            kept.append(line)
    return "\n".join(kept)


def _body(lines: Iterator[tuple[int, str]], fence: str, where: str) -> str:
    body: list[str] = []
    for _, line in lines:
        if line.strip() == fence:
            return "\n".join(body) + "\n"
        body.append(line)
    raise ValueError(f"{where}: the block is never closed")
