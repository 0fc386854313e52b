"""`make bench`: starts everything on this machine, measures, prints a table. See docs/performance.md."""

import argparse
import resource
import sys
import tempfile
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.benchmarks.figures import Figure
from tests.benchmarks.machine import describe
from tests.benchmarks.plc import kind
from tests.benchmarks.processes import ROOT
from tests.benchmarks.report import BadBase, print_report, read_base, write_json
from tests.benchmarks.site import Site, site
from tests.benchmarks.subjects import SUBJECTS

_BUILD = ROOT / "build"
_QUICK = {"quick": "a second or so for each figure, to see whether it runs; none of them is one to quote"}


def main() -> int:
    """Measure and report; returns the exit status, which says nothing of the targets."""
    options = _options()
    try:
        base = read_base(options.base) if options.base else None
    except BadBase as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    _, most_files = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most_files, most_files))  # a thousand devices are as many connections
    failed: list[str] = []
    _BUILD.mkdir(exist_ok=True)
    # Beside the project, because what /tmp is made of says nothing of a disk.
    with tempfile.TemporaryDirectory(prefix="bench-", dir=_BUILD) as name:
        folder = Path(name)
        machine = describe(folder)
        with site(folder) as at:
            machine |= {"broker": at.broker, "PLC": kind(folder)} | (_QUICK if options.quick else {})
            figures = list(_measure(at, options.subjects, failed, quick=options.quick))
    print_report(figures, machine, base)
    write_json(options.json, figures, machine)
    print(f"Also in {options.json}; compare with it later by BASE={options.json}.")
    for what in failed:
        print(f"error: {what} could not be measured, see above", file=sys.stderr)
    return 1 if failed else 0


def _measure(at: Site, names: Sequence[str], failed: list[str], *, quick: bool) -> Iterator[Figure]:
    """Those that are named; without a name all, but for the lengthy ones of a quick run."""
    chosen = [SUBJECTS[name] for name in names]
    for subject in chosen or [each for each in SUBJECTS.values() if not (quick and each.lengthy)]:
        print(f"measuring: {subject.what}", file=sys.stderr, flush=True)
        try:
            yield from subject.measure(at, quick)
        except Exception:  # noqa: BLE001 - what went wrong in one subject must not cost the others their twenty minutes
            traceback.print_exc()
            failed.append(subject.what)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description="Measures the collector on this machine.")
    parser.add_argument("subjects", nargs="*", metavar="SUBJECT", help=f"only these: {' '.join(SUBJECTS)}")
    parser.add_argument("--quick", action="store_true", help="a minute, to see whether it runs; no figures to quote")
    parser.add_argument("--base", type=Path, metavar="FILE", help="an earlier result to show beside the new one")
    parser.add_argument(
        "--json", type=Path, metavar="FILE", default=_BUILD / "bench.json", help="where the result goes"
    )
    options = parser.parse_args()
    unknown = [name for name in options.subjects if name not in SUBJECTS]
    if unknown:
        parser.error(f"no such subject: {' '.join(unknown)}; there are {' '.join(SUBJECTS)}")
    return options


if __name__ == "__main__":
    sys.exit(main())
