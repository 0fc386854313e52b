"""The figures as a table for people and as JSON for the next run."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from tests.benchmarks.figures import Figure

_WIDTH, _MATRIX_WIDTH = 240, 150
_EXPLAINED = "docs/performance.md, “What is missed, and why”"


class BadBase(Exception):
    """The file to compare with is none of ours."""


@dataclass(frozen=True, slots=True)
class Before:
    """An earlier figure: its median, and the least and most of its windows."""

    median: float
    least: float
    most: float

    def __str__(self) -> str:
        if self.least == self.most:
            return _short(self.median)
        return f"{_short(self.median)} ({_short(self.least)} … {_short(self.most)})"


@dataclass(frozen=True, slots=True)
class Base:
    """An earlier run: what it was, in words, and its figures by `Figure.key`."""

    run: str
    figures: Mapping[str, Before]


def print_report(figures: Sequence[Figure], machine: Mapping[str, str], base: Base | None) -> None:
    """The machine, the tables, and which targets were missed; `base` stands beside them."""
    console = Console(highlight=False, width=_WIDTH)  # in a narrower terminal lines break, and none loses a figure
    console.print()
    for what, found in machine.items():
        console.print(f"{what + ':':11}{found}")
    if base is not None:
        console.print(f"{'before:':11}{base.run}")
    if lines := [figure for figure in figures if not figure.case]:
        console.print(_table(lines, base))
    for subject, members in groupby((figure for figure in figures if figure.case), attrgetter("subject")):
        console.print(_matrix(subject, list(members), base), width=_MATRIX_WIDTH)
    console.print("Median, and from least to most. The floor is a bare asyncio loop without features, in the same run.")
    console.print("A percentile is that of all windows together; its spread is that of the windows.")
    _print_verdict(console, figures)


def write_json(file: Path, figures: Sequence[Figure], machine: Mapping[str, str]) -> None:
    """All figures, for `read_base`."""
    lines = {figure.key: _as_json(figure) for figure in figures}
    file.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"machine": machine, "figures": lines}, ensure_ascii=False, indent=2)
    file.write_text(text + "\n", encoding="utf-8")


def read_base(file: Path) -> Base:
    """An earlier run. Raises `BadBase`."""
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
        run = "; ".join(str(told["machine"][what]) for what in ("collector", "processor"))
        return Base(run, {name: _as_before(figure) for name, figure in told["figures"].items()})
    except OSError as error:
        raise BadBase(f"{file}: {error.strerror or error}") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise BadBase(f"{file} is no result of this benchmark; expected the JSON that it writes") from None


def _as_before(figure: Mapping[str, float]) -> Before:
    return Before(float(figure["median"]), float(figure["min"]), float(figure["max"]))


def _print_verdict(console: Console, figures: Sequence[Figure]) -> None:
    verdicts = [figure.met for figure in figures if figure.met is not None]
    console.print(f"{sum(verdicts)} of {len(verdicts)} targets met.")
    missed = [figure for figure in figures if figure.met is False]
    if missed:
        console.print(f"[bold red]MISSED[/], explained in {_EXPLAINED}:")
    for figure in missed:
        console.print(f"  {figure.key}: {_short(figure.median)}, {figure.target} wanted", markup=False)


def _as_json(figure: Figure) -> dict[str, object]:
    return {
        "median": figure.median,
        "min": min(figure.values),
        "max": max(figure.values),
        "samples": len(figure.values),
        "target": None if figure.target is None else str(figure.target),
        "met": figure.met,
        "floor": figure.floor_median,
        "times_the_floor": figure.ratio,
    }


def _table(figures: Sequence[Figure], base: Base | None) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("what", no_wrap=True)
    table.add_column("unit", no_wrap=True)
    table.add_column("median", justify="right", no_wrap=True)
    table.add_column("least … most", justify="right", no_wrap=True)
    table.add_column("target", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("floor", justify="right", no_wrap=True)
    table.add_column("× floor", justify="right", no_wrap=True)
    if base is not None:
        table.add_column("before", justify="right", no_wrap=True)
    for subject, members in groupby(figures, attrgetter("subject")):
        table.add_row(f"[bold]{subject}[/]")
        for figure in members:
            table.add_row(*_cells(figure), *([] if base is None else [_before(base, figure)]))
        table.add_section()
    return table


def _before(base: Base, figure: Figure) -> str:
    return str(base.figures.get(figure.key, ""))


def _matrix(subject: str, figures: Sequence[Figure], base: Base | None) -> Table:
    """A line a case, a column a figure; under it what was there before."""
    table = Table(box=box.SIMPLE_HEAD, title=f"[bold]{subject}[/]", title_justify="left")
    table.add_column("")
    cases = {case: list(members) for case, members in groupby(figures, attrgetter("case"))}
    for figure in next(iter(cases.values())):
        table.add_column(figure.name + (f", {figure.unit}" if figure.unit else ""), justify="right")
    for case, members in cases.items():
        table.add_row(case, *(_short(figure.median) + _verdict(figure) for figure in members))
        if base is not None:
            earlier = (base.figures.get(figure.key) for figure in members)
            table.add_row("  before", *("" if before is None else _short(before.median) for before in earlier))
    return table


def _cells(figure: Figure) -> tuple[str, ...]:
    spread = f"{_short(min(figure.values))} … {_short(max(figure.values))}" if len(figure.values) > 1 else ""
    target = "" if figure.target is None else str(figure.target)
    floor, ratio = _short(figure.floor_median), _short(figure.ratio)
    return (
        "  " + figure.name,
        figure.unit,
        _short(figure.median),
        spread,
        target,
        _verdict(figure).strip(),
        floor,
        ratio,
    )


def _verdict(figure: Figure) -> str:
    return {None: "", True: " [green]met[/]", False: " [bold red]MISSED[/]"}[figure.met]


def _short(value: float | None) -> str:
    """Three digits are all that a measurement like this has; a share of a hundred is given to a hundredth."""
    if value is None:
        return ""
    if 99 < value < 100:
        return f"{value:.2f}"
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"
