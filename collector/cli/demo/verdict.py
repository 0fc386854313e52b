"""The last word of the demo: what was made, what of it arrived, and whether the promise was kept."""

from dataclasses import dataclass

from rich.console import Console
from rich.table import Table
from rich.text import Text

from collector.cli.demo.subscriber import Books


@dataclass(frozen=True, slots=True)
class Claim:
    """A part of the promise, in words, and whether it was kept."""

    kept: bool
    words: str


def claims(books: Books) -> tuple[Claim, ...]:
    """What the collector promises of its messages, held against what it counted and what a subscriber received."""
    counted = books.acknowledged + books.waiting + books.given_up
    sum_of = f"{books.acknowledged:,} acknowledged + {books.waiting:,} waiting + {books.given_up:,} given up"
    return (
        Claim(counted == books.made, f"the books add up: {books.made:,} recorded = {sum_of}"),
        Claim(books.received >= books.acknowledged, f"all that was acknowledged was received: {books.received:,}"),
        Claim(not books.conflicts, f"what came again said the same: {books.duplicates:,} repeated"),
        Claim(not books.late, "each came after all that were older"),
        Claim(not books.unnamed and books.named >= books.given_up, _holes(books)),
    )


def print_verdict(books: Books, console: Console) -> None:
    """Show the final books, what of the promise was kept, and whether anything was lost."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold")
    table.add_column(justify="right")
    table.add_column(style="dim")
    for word, count, meaning in _rows(books):
        table.add_row(word, f"{count:,}", meaning)
    console.print()
    console.print(table)
    console.print()
    for claim in claims(books):
        mark, style = ("✓", "green") if claim.kept else ("✗", "bold red")
        console.print(Text.assemble((f"{mark} ", style), claim.words))
    console.print()
    console.print(_verdict(books))


def _rows(books: Books) -> tuple[tuple[str, int, str], ...]:
    return (
        ("made", books.made, "data messages, one a device and poll cycle"),
        ("acknowledged", books.acknowledged, "by the broker"),
        ("waiting", books.waiting, "in the buffer at the end"),
        ("received", books.received, "by a subscriber, each counted once"),
        ("from disk", books.from_disk, "of those: written to disk before they were sent"),
        ("duplicates", books.duplicates, "received again; a message is sent until it is acknowledged"),
        ("lost", books.lost, "made and not received"),
    )


def _verdict(books: Books) -> Text:
    if books.lost == 0:
        return Text(f"Nothing was lost: all {books.made:,} messages arrived.", style="bold green")
    why = ""
    if books.waiting:
        why = f", {books.waiting:,} of which still waited in the buffer"
    elif books.named >= books.lost:
        why = ": events name every one of them as lost"
    return Text(f"{books.lost:,} of {books.made:,} messages did not arrive{why}.", style="bold red")


def _holes(books: Books) -> str:
    if books.unnamed:
        ranges = ", ".join(f"{first:,} to {last:,}" for first, last in books.unnamed[:3])
        return f"messages {ranges} never came, and no event names them"
    if books.named:
        return f"every hole is named by an event: {books.named:,} messages"
    return "no hole: every number in the sequence came"
