"""What went over a device's wire, for who has to find out why it does not answer as it should."""

from collections import deque

from collector.clock import Clock

MOST_FRAMES = 100
MOST_BYTES = 1_024


class Frames:
    """A `protocols.overhearing.FrameListener` that keeps the newest frames, at most `MOST_FRAMES`, each cut at
    `MOST_BYTES`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._began = clock.monotonic()
        self._lines: deque[str] = deque(maxlen=MOST_FRAMES)

    @property
    def lines(self) -> list[str]:
        """Oldest first: ``   12.3 ms -> 00 01 00 00 …``, ms since the beginning; ``->`` went to the device."""
        return list(self._lines)

    def sent(self, frame: bytes) -> None:
        """A question was put on the wire."""
        self._note("->", frame)

    def received(self, data: bytes) -> None:
        """Bytes came."""
        self._note("<-", data)

    def _note(self, way: str, data: bytes) -> None:
        after_ms = (self._clock.monotonic() - self._began) * 1000
        rest = f" … {len(data)} bytes" if len(data) > MOST_BYTES else ""
        self._lines.append(f"{after_ms:8.1f} ms {way} {data[:MOST_BYTES].hex(' ')}{rest}")
