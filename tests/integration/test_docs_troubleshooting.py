"""What the page on troubleshooting quotes is what the collector says, word for word."""

import ast
import re
from collections.abc import Iterator

from tests.doubles.documentation import ROOT

PAGE = (ROOT / "docs" / "troubleshooting.md").read_text("utf-8")
PACKAGES = ("collector", "fleet_client", "protocols")
HOLE = "\0"


def said() -> Iterator[str]:
    """Every text in the program, with a hole where a value stands, and those of the page."""
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.JoinedStr):
                    yield "".join(str(part.value) if isinstance(part, ast.Constant) else HOLE for part in node.values)
                elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield node.value
    yield (ROOT / "collector" / "web" / "page" / "words-en.js").read_text("utf-8")


def quoted() -> list[str]:
    """The quotes of the first column."""
    rows = re.findall(r"^\| ([^|]+) \|", PAGE, re.MULTILINE)
    return [quote for row in rows for quote in re.findall(r"`([^`]+)`", row)]


def test_every_quoted_message_is_one_that_the_program_has() -> None:
    everything = "\n".join(said())
    quotes = quoted()
    assert len(quotes) > 50
    assert [quote for quote in quotes if quote not in everything] == []
