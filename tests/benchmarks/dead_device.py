"""Whether a device that answers nobody costs the others their beat."""

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from tests.benchmarks.course import LAST_MESSAGES_S, Course, course, percentiles
from tests.benchmarks.figures import Figure, Target
from tests.benchmarks.plc import Plcs, plcs
from tests.benchmarks.processes import cpu_s
from tests.benchmarks.site import Site, collector
from tests.benchmarks.tags import uint16
from tests.doubles.black_hole import black_hole

_ALIVE = 49
_DEVICE = uint16(30)
_START_WITHIN_S = 40.0
_WARM_UP_S = 3.0


@dataclass(frozen=True, slots=True)
class _Hall:
    """The PLCs that answer, and a port where nobody does."""

    plcs: Plcs
    dead: int | None = None

    @property
    def entries(self) -> list[dict[str, object]]:
        """The document's devices; the dead one comes last."""
        ports = [*self.plcs.ports, *([self.dead] if self.dead else [])]
        return [_DEVICE.device(str(number), "127.0.0.1", port) for number, port in enumerate(ports, 1)]


def measure(at: Site, seconds: float) -> list[Figure]:
    """49 devices alone and, in another collector at the same time, 49 beside a dead one.

    At the same time, for a busy machine would make one of them look worse than the other.
    """
    with _plcs(at) as alone, _plcs(at) as others, black_hole() as dead:
        before, beside = _watch(at, [_Hall(alone), _Hall(others, dead)], seconds)
    change = [percentiles(each.off_beat_ms, 0.99)[1] for each in (before, beside)]

    def figure(name: str, unit: str, value: float, target: Target) -> Figure:
        return Figure("one dead device of 50", name, unit, (value,), target)

    return [
        figure("cycles missed by the others", "", sum(sample.missed for sample in beside.samples), Target("=", 0)),
        figure("others delivered", "%", beside.delivered_percent, Target("=", 100)),
        figure("jitter p99 of the others, more than without it", "ms", change[1] - change[0], Target("<", 50)),
    ]


@contextmanager
def _plcs(at: Site) -> Iterator[Plcs]:
    with plcs(at.folder, _DEVICE.memory, _ALIVE) as made:
        yield made


def _watch(at: Site, halls: Sequence[_Hall], seconds: float) -> list[Course]:
    with ExitStack() as stack:
        made = [stack.enter_context(collector(at, *hall.entries)) for hall in halls]
        for _, process in made:
            process.start()
        for edge_id, _ in made:
            at.subscriber.until(edge_id, _ALIVE, _START_WITHIN_S)
        time.sleep(_WARM_UP_S)
        moments, spent = [time.time_ns()], [[cpu_s(process.pid)] for _, process in made]
        time.sleep(seconds)
        moments.append(time.time_ns())
        for (_, process), so_far in zip(made, spent, strict=True):
            so_far.append(cpu_s(process.pid))
        time.sleep(LAST_MESSAGES_S)
        return [
            course(
                hall.plcs, at.subscriber.of(edge_id), tags=len(_DEVICE.tags), interval_s=1.0, moments=moments, cpu_s=cpu
            )
            for hall, (edge_id, _), cpu in zip(halls, made, spent, strict=True)
        ]
