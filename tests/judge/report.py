"""The verdicts as a table for people and as JSON for the archive."""

import json
import platform
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from collector import __version__
from tests.benchmarks.machine import describe
from tests.judge.outcome import Outcome, all_met

_WIDTH = 150
_NUMBERS = ("cycles", "owed", "delivered", "named", "forgotten", "lost", "duplicates", "s")


def print_report(outcomes: Sequence[Outcome]) -> None:
    """The table, what was found, and the last word."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_WIDTH)
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("trial", no_wrap=True)
    for column in _NUMBERS:
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("figures")
    table.add_column("", no_wrap=True)
    for outcome in outcomes:
        table.add_row(*_cells(outcome))
    console.print(table)
    console.print("owed = recorded samples = delivered + named as lost + forgotten by a killed broker + lost.")
    for outcome in outcomes:
        for finding in () if outcome.must_lose else outcome.findings[:10]:
            console.print(f"{outcome.name}: {finding}", markup=False, style="red")
    word = "The promise was kept." if all_met(outcomes) else "The promise was NOT kept."
    console.print(word, style="bold green" if all_met(outcomes) else "bold red")


def write_json(file: Path, outcomes: Sequence[Outcome], seed: int) -> None:
    """Everything, with the date, the versions and the seed."""
    file.parent.mkdir(parents=True, exist_ok=True)
    result = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "version": __version__,
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "machine": describe(file.parent),
        "seed": seed,
        "kept": all_met(outcomes),
        "trials": {outcome.name: outcome.as_json() for outcome in outcomes},
    }
    file.write_text(json.dumps(result, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def _cells(outcome: Outcome) -> list[str]:
    counts = [outcome.sum(name) for name in ("owed", "delivered", "named", "forgotten", "lost", "duplicates")]
    figures = ", ".join(f"{name} {figure:.3g}" for name, figure in outcome.figures.items())
    if outcome.must_lose:
        word = "[green]loses, as it must[/]" if outcome.met else "[bold red]LOSES NOTHING[/]"
    else:
        word = "[green]kept[/]" if outcome.met else "[bold red]BROKEN[/]"
    return [outcome.what, *(f"{count:,}" for count in (outcome.cycles, *counts, round(outcome.seconds))), figures, word]
