"""How many tags a device may be written in a row: whoever floods it wears out its memory."""

from collector.clock import Clock
from collector.commands.outcome import CommandFailed

BURST = 1_000
PER_SECOND = 50


class Pace:
    """A store of `BURST` writes a device, refilled by `PER_SECOND`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._stores: dict[str, tuple[float, float]] = {}

    def take(self, device_id: str, writes: int) -> None:
        """Account for so many writes. Raises `CommandFailed`; nothing is taken then."""
        now = self._clock.monotonic()
        left, at = self._stores.get(device_id, (float(BURST), now))
        left = min(BURST, left + (now - at) * PER_SECOND)
        if left < writes:
            wait_s = (writes - left) / PER_SECOND
            message = f"more than {PER_SECOND} writes a second to one device for long; send it again in {wait_s:.0f} s"
            raise CommandFailed("rejected", "busy", message)
        self._stores[device_id] = (left - writes, now)
