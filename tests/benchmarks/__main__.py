"""`make bench`: starts everything on this machine, measures, prints a table. See docs/performance.md."""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks import (
    api,
    backlog,
    drivers,
    history,
    looked_at,
    many_tags,
    planning,
    polling,
    reloading,
    scale,
    starting,
    values,
)  # fmt: skip
from tests.benchmarks.drivers import Rounds
from tests.benchmarks.figures import Figure
from tests.benchmarks.machine import describe
from tests.benchmarks.plc import kind
from tests.benchmarks.polling import Windows
from tests.benchmarks.processes import ROOT
from tests.benchmarks.report import BadBase, print_report, read_base, write_json
from tests.benchmarks.site import Site, site
from tests.benchmarks.tags import OFTEN, VARIANTS

_BUILD = ROOT / "build"
_QUICK_COURSES = [(VARIANTS[0], Windows(2, 2, warm_up_s=1))]
_COURSES = [(variant, Windows(3, 10, warm_up_s=3)) for variant in VARIANTS] + [(OFTEN, Windows(3, 4, warm_up_s=3))]


def main() -> int:
    """Measure and report; returns the exit status, which says nothing of the targets."""
    options = _options()
    try:
        base = read_base(options.base) if options.base else None
    except BadBase as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    _BUILD.mkdir(exist_ok=True)
    # Beside the project, because what /tmp is made of says nothing of a disk.
    with tempfile.TemporaryDirectory(prefix="bench-", dir=_BUILD) as name:
        folder = Path(name)
        machine = describe(folder)
        with site(folder) as at:
            machine |= {"broker": at.broker, "PLC": kind(folder)}
            figures = list(_measure(at, quick=options.quick))
    print_report(figures, machine, base)
    write_json(options.json, figures, machine)
    print(f"Also in {options.json}; compare with it later by --base.")
    return 0


def _measure(at: Site, *, quick: bool) -> Iterator[Figure]:
    for variant, windows in _QUICK_COURSES if quick else _COURSES:
        _say(f"1,000 tags, {variant.name}, {windows.count} × {windows.seconds} s")
        yield from polling.measure(at, variant, windows)
    _say("start")
    yield from starting.measure(at, 1 if quick else 5)
    _say("outbox and backlog")
    yield from backlog.measure(at, 1_000 if quick else 20_000)
    _say("planning, decoding, encoding")
    yield from planning.measure(1 if quick else 5)
    yield from reloading.measure(1 if quick else 5)
    yield from values.measure(0.05 if quick else 0.7)
    _say("history")
    yield from history.measure(at.folder, 2 if quick else 65)
    _say("protocols")
    yield from drivers.measure(Rounds(1, 3) if quick else Rounds(5, 20))
    if not quick:
        _say("500 devices; one dead of 50")
        yield from scale.measure(at)
        _say("100 devices of 1,000 tags")
        yield from many_tags.measure(at)
        _say("API over a week of history")
        yield from api.measure(at, minutes=7 * 1_440, rounds=100)
        _say("what history, API and page add")
        yield from looked_at.measure(at, seconds=60, windows=3)


def _say(step: str) -> None:
    print(f"measuring: {step}", file=sys.stderr, flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description="Measures the collector on this machine.")
    parser.add_argument(
        "--quick", action="store_true", help="a few seconds, to see whether it runs; no figures to quote"
    )
    parser.add_argument("--base", type=Path, metavar="FILE", help="an earlier result to show beside the new one")
    parser.add_argument(
        "--json", type=Path, metavar="FILE", default=_BUILD / "bench.json", help="where the result goes"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
