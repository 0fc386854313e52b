"""The figures as a table for people and as JSON for the next run."""

import json
from collections.abc import Mapping, Sequence
from itertools import groupby
from operator import attrgetter
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from tests.benchmarks.earlier import Earlier
from tests.benchmarks.figures import Figure

_WIDTH = 150
_EXPLAINED = "docs/performance.md, “What is missed, and why”"


def print_report(figures: Sequence[Figure], machine: Mapping[str, str], before: Earlier | None) -> None:
    """The machine, the tables, which targets were missed, and what is another than before."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_WIDTH)
    console.print()
    _print_machine(console, machine, before)
    console.print(_table([figure for figure in figures if not figure.case], before))
    for subject, members in groupby((figure for figure in figures if figure.case), attrgetter("subject")):
        console.print(_matrix(subject, list(members), before))
    console.print("Median, and from least to most. The floor is a bare asyncio loop without features, in the same run.")
    console.print("A percentile is that of all windows together; its spread is that of the windows.")
    _print_verdict(console, figures)
    if before is not None:
        _print_changes(console, figures, before)


def write_json(file: Path, figures: Sequence[Figure], machine: Mapping[str, str]) -> None:
    """All figures, for `earlier.read_base`."""
    lines = {figure.key: _as_json(figure) for figure in figures}
    file.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"machine": machine, "figures": lines}, ensure_ascii=False, indent=2)
    file.write_text(text + "\n", encoding="utf-8")


def _print_machine(console: Console, machine: Mapping[str, str], before: Earlier | None) -> None:
    for what, found in machine.items():
        console.print(f"{what + ':':11}{found}", markup=False)
    if before is None:
        return
    others = [found for what, found in before.machine.items() if machine.get(what) != found]
    for place, found in enumerate(others):
        console.print(f"{'' if place else 'before:':11}{found}", markup=False)


def _print_changes(console: Console, figures: Sequence[Figure], before: Earlier) -> None:
    compared = [(figure, before.figures[figure.key]) for figure in figures if figure.key in before.figures]
    changed = [(figure, then) for figure, then in compared if then.differs(figure)]
    console.print(f"{len(changed)} of {len(compared)} figures (!) lie beyond the spreads of both runs.")
    for figure, then in changed:
        floors = (then.floor, figure.floor_median)
        beside = f", its floor {' → '.join(map(_short, floors))}" if None not in floors else ""
        console.print(f"  {figure.key}: {_short(then.median)} → {_short(figure.median)}{beside}", markup=False)


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


def _table(figures: Sequence[Figure], before: Earlier | None) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("what", no_wrap=True)
    table.add_column("unit")
    table.add_column("median", justify="right", no_wrap=True)
    table.add_column("least … most", justify="right", no_wrap=True)
    table.add_column("target", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("floor", justify="right", no_wrap=True)
    table.add_column("× floor", justify="right", no_wrap=True)
    if before is not None:
        table.add_column("before", justify="right", no_wrap=True)
        table.add_column("change", justify="right", no_wrap=True)
    for subject, members in groupby(figures, attrgetter("subject")):
        table.add_row(f"[bold]{subject}[/]")
        for figure in members:
            table.add_row(*_cells(figure), *([] if before is None else _since(figure, before)))
        table.add_section()
    return table


def _matrix(subject: str, figures: Sequence[Figure], before: Earlier | None) -> Table:
    """A line a case, and one below it of what was before; a column a figure."""
    table = Table(box=box.SIMPLE_HEAD, title=f"[bold]{subject}[/]", title_justify="left")
    table.add_column("")
    cases = {case: list(members) for case, members in groupby(figures, attrgetter("case"))}
    for figure in next(iter(cases.values())):
        table.add_column(figure.name + (f", {figure.unit}" if figure.unit else ""), justify="right")
    for case, members in cases.items():
        table.add_row(case, *(_short(figure.median) + _verdict(figure) for figure in members))
        then = [] if before is None else [before.figures.get(figure.key) for figure in members]
        if any(then):
            table.add_row("  before", *(_short(each.median if each else None) for each in then), style="dim")
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


def _since(figure: Figure, before: Earlier) -> tuple[str, str]:
    then = before.figures.get(figure.key)
    if then is None:
        return "", ""
    percent = then.change_percent(figure)
    mark = " [bold]![/]" if then.differs(figure) else "  "
    return _short(then.median), "" if percent is None else f"{round(percent):+,d} %{mark}"


def _verdict(figure: Figure) -> str:
    return {None: "", True: " [green]met[/]", False: " [bold red]MISSED[/]"}[figure.met]


def _short(value: float | None) -> str:
    """Three digits are all that a measurement like this has; a share of a hundred is given to a hundredth."""
    if value is None:
        return ""
    if 99 < value < 100:
        return f"{value:.2f}"
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"
