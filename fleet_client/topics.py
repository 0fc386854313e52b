"""The names under which the broker knows an edge."""

import re
from dataclasses import dataclass

_EDGE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_PREFIX = "edge-"


def valid_edge_id(text: str) -> bool:
    """Whether the text can be an edge id: 1 to 64 of ``A-Z a-z 0-9 . _ -``, so never a topic wildcard or a slash."""
    return _EDGE_ID.fullmatch(text) is not None


def other_spelling(edge_id: str) -> str | None:
    """The other name of the same edge, ``spifox-001`` for ``edge-spifox-001`` and back; None where it has none."""
    other = edge_id.removeprefix(_PREFIX) if edge_id.startswith(_PREFIX) else _PREFIX + edge_id
    return other if valid_edge_id(other) else None


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics of one edge. Raises `ValueError` for what is no edge id."""

    edge_id: str

    def __post_init__(self) -> None:
        if not valid_edge_id(self.edge_id):
            raise ValueError(
                f"{self.edge_id[:80]!r} is no edge id: expected 1 to 64 of the characters A-Z a-z 0-9 . _ -"
            )

    @property
    def data(self) -> str:
        """One message a device and poll cycle."""
        return self._topic("data")

    @property
    def status(self) -> str:
        """The heartbeat and the last will."""
        return self._topic("status")

    @property
    def responses(self) -> str:
        """One answer a command."""
        return self._topic("responses")

    @property
    def events(self) -> str:
        """Gaps, alarms, changes."""
        return self._topic("events")

    @property
    def commands(self) -> str:
        """Where commands come in, unless the settings name another topic."""
        return self._topic("commands")

    def _topic(self, kind: str) -> str:
        return f"vexplor/devices/{self.edge_id}/{kind}"
