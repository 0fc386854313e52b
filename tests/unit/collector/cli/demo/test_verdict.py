"""What the demo says at its end."""

from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from collector.cli.demo.subscriber import Books
from collector.cli.demo.verdict import claims, print_verdict

GOOD = Books(made=100, acknowledged=100, waiting=0, received=100, duplicates=3, from_disk=40, missing=0)


def said(books: Books) -> str:
    out = StringIO()
    print_verdict(books, Console(file=out, width=120))
    return out.getvalue()


def test_a_promise_that_was_kept() -> None:
    assert all(claim.kept for claim in claims(GOOD))
    assert "✓ the books add up: 100 recorded = 100 acknowledged + 0 waiting + 0 given up" in said(GOOD)
    assert "Nothing was lost: all 100 messages arrived." in said(GOOD)


@pytest.mark.parametrize(
    ("books", "words"),
    [
        (replace(GOOD, acknowledged=98), "✗ the books add up: 100 recorded = 98 acknowledged"),
        (replace(GOOD, received=99), "✗ all that was acknowledged was received: 99"),
        (replace(GOOD, conflicts=1), "✗ what came again said the same"),
        (replace(GOOD, late=1), "✗ each came after all that were older"),
        (replace(GOOD, unnamed=((4, 9),), missing=6), "✗ messages 4 to 9 never came, and no event names them"),
        (replace(GOOD, acknowledged=90, received=90, given_up=10), "✗ no hole"),
    ],
)
def test_a_promise_that_was_broken(books: Books, words: str) -> None:
    assert [claim.kept for claim in claims(books)].count(False) == 1
    assert words in said(books)


def test_a_hole_that_is_named_is_a_promise_kept() -> None:
    dropped = replace(GOOD, acknowledged=90, received=90, given_up=10, named=10, missing=10)
    assert all(claim.kept for claim in claims(dropped))
    assert "✓ every hole is named by an event: 10 messages" in said(dropped)
    assert "10 of 100 messages did not arrive: events name every one of them as lost." in said(dropped)
