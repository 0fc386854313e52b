"""`make judge`: an hour and a half of faults, one verdict. See docs/judge.md."""

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.judge.outcome import Outcome, all_met
from tests.judge.report import print_report, write_json
from tests.judge.trials import ONLY_WHEN_NAMED, TRIALS, Measure

_RESULT = Path(__file__).parents[2] / "build" / "judge.json"


def main() -> int:
    """Run the trials; returns 0 when the promise was kept in each, and the control lost."""
    options = _options()
    measure = Measure(options.seed, options.share, options.outage * 60, options.soak * 60)
    outcomes: list[Outcome] = []
    try:
        asyncio.run(_run(options.trials or _usual(), measure, outcomes))
    except KeyboardInterrupt:
        print("stopped; what was judged so far:", file=sys.stderr)
    print_report(outcomes)
    write_json(options.json, outcomes, options.seed)
    print(f"Also in {options.json}.")
    return 0 if outcomes and all_met(outcomes) else 1


async def _run(names: Sequence[str], measure: Measure, outcomes: list[Outcome]) -> None:
    for name in names:
        print(f"judging: {name}", file=sys.stderr, flush=True)
        began = time.monotonic()
        try:
            outcome = await TRIALS[name](measure)
        except (AssertionError, pytest.fail.Exception, pytest.skip.Exception) as trouble:
            outcome = Outcome(name, name, 0, time.monotonic() - began, (), trouble=str(trouble))
        outcomes.append(outcome)
        word = "as promised" if outcome.met else "NOT as promised"
        print(f"         {word}, {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)


def _usual() -> list[str]:
    return [name for name in TRIALS if name not in ONLY_WHEN_NAMED]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make judge", description="Judges whether anything recorded is ever lost.")
    parser.add_argument(
        "trials", nargs="*", metavar="TRIAL", help=f"which; by default {', '.join(_usual())}; also: soak"
    )
    parser.add_argument("--share", type=float, default=1.0, help="of the full number of cycles, e.g. 0.1")
    parser.add_argument("--outage", type=float, default=36.0, metavar="MINUTES", help="length of the long outage")
    parser.add_argument("--soak", type=float, default=120.0, metavar="MINUTES", help="length of the soak")
    parser.add_argument("--seed", type=int, default=20_260_417)
    parser.add_argument("--json", type=Path, default=_RESULT, metavar="FILE", help="where the result goes")
    options = parser.parse_args()
    if unknown := set(options.trials) - TRIALS.keys():
        parser.error(f"unknown: {', '.join(sorted(unknown))}; expected some of {', '.join(TRIALS)}")
    return options


if __name__ == "__main__":
    sys.exit(main())
