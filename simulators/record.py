"""What a simulated PLC saw of its clients, for tests to look at."""

from dataclasses import dataclass

KEPT = 200_000
"""How many of the newest questions a record keeps."""


@dataclass(slots=True)
class PlcRecord:
    """Counts since it was put in place: ``plc.record = Record()`` starts anew.

    `malformed` counts what could be no frame; most lines are closed for it.
    """

    connections: int = 0
    turned_away: int = 0
    malformed: int = 0

    @property
    def summary(self) -> str:
        """What it saw, in a few words."""
        return f"{self.connections} connections so far"
