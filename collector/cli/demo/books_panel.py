"""Broker, buffer, and the account of all messages."""

from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from collector.cli.demo.panels import framed
from collector.cli.demo.scene import Scene
from collector.cli.demo.subscriber import Books
from collector.cli.demo.wording import bar, graph, size

_HIGHEST_GRAPH = 8


@dataclass(frozen=True, slots=True)
class BooksPanel:
    """As of one moment. `depth` is the buffer's depth since the start; its graph takes the room that is left."""

    books: Books
    broker_well: bool
    broker_words: str
    waiting_bytes: int
    peak: int
    expected: int
    depth: tuple[int, ...]

    @classmethod
    def of(cls, scene: Scene) -> "BooksPanel":
        """As of now."""
        well, words = scene.broker_words
        figures, counts = scene.figures, scene.board.buffer
        return cls(scene.books(), well, words, counts.bytes, figures.peak, scene.expected_depth, tuple(figures.depth))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width, height = options.max_width - 4, (options.height or options.max_height) - 2
        books, colour = self.books, "green" if self.broker_well else "red"
        above = [
            Text.assemble(("● ", colour), ("broker ", "bold"), (self.broker_words, colour)),
            self._bar(width),
            Text(f"waiting {books.waiting:,} ({size(self.waiting_bytes)}), peak {self.peak:,}"),
        ]
        below = [
            _count("made", books.made, "acknowledged", books.acknowledged),
            _count("received", books.received, "duplicates", books.duplicates),
            _lost(books),
        ]
        room = min(_HIGHEST_GRAPH, height - len(above) - len(below))
        drawn = [Text(line, style="cyan") for line in graph(self.depth, width, room)]
        yield framed(Text("\n", no_wrap=True).join([*above, *drawn, *below]), "Broker and buffer", options.height)

    def _bar(self, width: int) -> Text:
        label = "buffer "
        full, empty = bar(self.books.waiting, self.expected, width - len(label))
        return Text.assemble((label, "bold"), (full, "yellow"), (empty, "bright_black"))


def _count(left: str, first: int, right: str, second: int) -> Text:
    return Text.assemble((f"{left:<9}", "dim"), f"{first:>7,}  ", (f"{right:<12}", "dim"), f"{second:>4,}")


def _lost(books: Books) -> Text:
    style = "bold red" if books.missing else "bold green"
    return Text.assemble(
        ("lost     ", "dim"), (f"{books.missing:>7,}", style), ("  from disk  ", "dim"), f"{books.from_disk:>5,}"
    )
