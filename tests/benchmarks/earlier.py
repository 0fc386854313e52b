"""What an earlier run had measured, and whether this one is another."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.benchmarks.figures import Figure


class BadBase(Exception):
    """The file to compare with is none of ours."""


@dataclass(frozen=True, slots=True)
class Before:
    """A figure as it was, its spread, and its floor's, if it had one."""

    median: float
    least: float
    most: float
    samples: int
    floor: float | None

    def change_percent(self, figure: Figure) -> float | None:
        """By how much it is more now; None where it was nothing."""
        return 100 * (figure.median / self.median - 1) if self.median else None

    def differs(self, figure: Figure) -> bool:
        """Whether it lies beyond the spreads of both runs; never without a spread."""
        apart = self.most < min(figure.values) or max(figure.values) < self.least
        return apart and self.samples > 1 and len(figure.values) > 1


@dataclass(frozen=True, slots=True)
class Earlier:
    """A run: the machine in words, and what was found, by `Figure.key`."""

    machine: Mapping[str, str]
    figures: Mapping[str, Before]


def read_base(file: Path) -> Earlier:
    """An earlier run, from the JSON that it wrote. Raises `BadBase`."""
    try:
        run = json.loads(file.read_text(encoding="utf-8"))
        machine = {str(what): str(found) for what, found in run["machine"].items()}
        return Earlier(machine, {name: _before(figure) for name, figure in run["figures"].items()})
    except OSError as error:
        raise BadBase(f"{file}: {error.strerror or error}") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise BadBase(f"{file} is no result of this benchmark; expected the JSON that it writes") from None


def set_aside(file: Path) -> Path:
    """Where it may stay when its own name is taken by a new result: it is moved there."""
    return file.replace(file.with_name(f"{file.stem}-before{file.suffix}"))


def _before(figure: Mapping[str, Any]) -> Before:
    floor = figure["floor"]
    return Before(
        float(figure["median"]),
        float(figure["min"]),
        float(figure["max"]),
        int(figure["samples"]),
        None if floor is None else float(floor),
    )
