"""How long the demo runs, and when the broker is away."""

from dataclasses import dataclass

FIRST_OUTAGE_S = 10.0
WARM_UP_S = 3.0
DRAIN_S = 5.0


@dataclass(frozen=True, slots=True)
class Course:
    """Seconds since everything runs. `duration_s` None: until Ctrl-C; `outage_s` 0: the broker never stops."""

    duration_s: float | None
    outage_s: float
    outage_at_s: float


def plan_course(duration_s: float | None, outage_s: float) -> Course:
    """The outage begins in the middle, or sooner where the buffer would have no time to drain after it.

    Raises `ValueError` for a duration that is too short for the outage.
    """
    if duration_s is None or not outage_s:
        return Course(duration_s, outage_s, FIRST_OUTAGE_S)
    at_s = min(duration_s / 2, duration_s - outage_s - DRAIN_S)
    if at_s < WARM_UP_S:
        least_s = WARM_UP_S + outage_s + DRAIN_S
        raise ValueError(
            f"--duration {duration_s:g} is too short for --outage {outage_s:g}: there must be time for values before "
            f"it and for the buffer to drain after it; expected at least --duration {least_s:g}"
        )
    return Course(duration_s, outage_s, at_s)
