"""The last word of the demo: what was made, and what of it arrived."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from collector.cli.demo.subscriber import Books


def print_verdict(books: Books, console: Console) -> None:
    """Show the final books, and whether anything was lost."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold")
    table.add_column(justify="right")
    table.add_column(style="dim")
    for word, count, meaning in _rows(books):
        table.add_row(word, f"{count:,}", meaning)
    console.print()
    console.print(table)
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
    why = f", {books.waiting:,} of which still waited in the buffer" if books.waiting else ""
    return Text(f"{books.lost:,} of {books.made:,} messages did not arrive{why}.", style="bold red")
