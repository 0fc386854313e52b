"""Time for tests: a clock turned by hand, and an event loop whose time runs ahead whenever it would wait."""

import asyncio
import selectors


class FakeClock:
    """A `Clock` that stands still until it is told to move."""

    def __init__(self, wall_ms: int = 1_776_412_800_000) -> None:
        self._wall_ms = wall_ms
        self._monotonic = 1_000.0

    def wall_ms(self) -> int:
        return self._wall_ms

    def monotonic(self) -> float:
        return self._monotonic

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._monotonic += seconds
        self._wall_ms += round(seconds * 1000)

    def step_wall(self, seconds: float) -> None:
        """Set the wall clock, as NTP or a person does."""
        self._wall_ms += round(seconds * 1000)


class _LeapingSelector(selectors.DefaultSelector):
    """Never sleeps: where a selector would wait for a timer, it tells the loop that the time has passed."""

    def __init__(self) -> None:
        super().__init__()
        self.leapt = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout is None:
            return ready or super().select(1.0)
        self.leapt += max(timeout, 0)
        return ready


class LeapingLoop(asyncio.SelectorEventLoop):
    """An event loop for pure-asyncio code: an hour of `asyncio.sleep` takes no time at all.

    Not for tests with sockets or threads: it would leap while their answers are on the way.
    """

    def __init__(self) -> None:
        self._leaping = _LeapingSelector()
        super().__init__(self._leaping)

    def time(self) -> float:
        return 1_000.0 + self._leaping.leapt


class LoopClock:
    """A `Clock` that follows the running loop's own time, for use with `LeapingLoop`."""

    def __init__(self, wall_ms: int = 1_776_412_800_000) -> None:
        self._start_ms = wall_ms

    def wall_ms(self) -> int:
        return self._start_ms + round((self.monotonic() - 1_000.0) * 1000)

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()
