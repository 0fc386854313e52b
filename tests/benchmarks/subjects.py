"""What `make bench` measures, by name and in order. docs/performance.md has a line for each."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tests.benchmarks import (
    api,
    backlog,
    dead_device,
    drivers,
    end_to_end,
    history,
    looked_at,
    many_tags,
    planning,
    reloading,
    scale,
    starting,
    values,
    workloads,
)
from tests.benchmarks.drivers import CASES, SIZES, Rounds
from tests.benchmarks.figures import Figure
from tests.benchmarks.polling import Windows
from tests.benchmarks.site import Site


@dataclass(frozen=True, slots=True)
class Subject:
    """`what` is said while it is measured; `measure` is given the site and whether it has to be quick; `lengthy` ones
    are left out of a quick run."""

    what: str
    measure: Callable[[Site, bool], Iterable[Figure]]
    lengthy: bool = False


SUBJECTS = {
    "workloads": Subject("W1 to W4, each beside its floor", lambda at, quick: workloads.measure(at, quick=quick)),
    "start": Subject("start and --help", lambda at, quick: starting.measure(at, 1 if quick else 5)),
    "outbox": Subject("outbox and backlog", lambda at, quick: backlog.measure(at, 1_000 if quick else 20_000)),
    "planning": Subject("planning and reload", lambda _, quick: _planning(quick=quick)),
    "values": Subject("decoding and encoding", lambda _, quick: values.measure(0.05 if quick else 0.7)),
    "history": Subject("history", lambda at, quick: history.measure(at.folder, 2 if quick else 65)),
    "protocols": Subject(
        "each driver",
        lambda _, quick: drivers.measure(Rounds(1, 0.3), (200,)) if quick else drivers.measure(Rounds(3, 2)),
    ),
    "end_to_end": Subject(
        "each protocol from its simulator to the subscriber",
        lambda at, quick: (
            end_to_end.measure(at, CASES[1:2], (200,), Windows(2, 1, 3))
            if quick
            else end_to_end.measure(at, CASES, SIZES, Windows(3, 5, 3))
        ),
    ),
    "scale": Subject("1 to 1,000 devices, 1,000 to 100,000 tags", lambda at, quick: scale.measure(at, quick=quick)),
    "many_tags": Subject("100,000 tags", lambda at, _: many_tags.measure(at), lengthy=True),
    "api": Subject("every question to the API", lambda at, _: api.measure(at, 7 * 1_440, 100), lengthy=True),
    "looked_at": Subject("what history, API and page add", lambda at, _: looked_at.measure(at, 60, 3), lengthy=True),
    "dead_device": Subject("one dead device of 50", lambda at, _: dead_device.measure(at, 12), lengthy=True),
}


def _planning(*, quick: bool) -> Iterable[Figure]:
    for devices, rounds in ((10, 1 if quick else 5), (100, 0 if quick else 2)):
        if rounds:
            yield from planning.measure(devices, rounds)
            yield from reloading.measure(devices, rounds)
