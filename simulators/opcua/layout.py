"""What the server has: a list of nodes, of which the config document is made too."""

from dataclasses import dataclass

from simulators.document import Limits, write_rights
from simulators.signals import Setpoint, Signal

NAMESPACE = "urn:edge-collector:filling-line"
NAMESPACE_INDEX = 2

_DATA_TYPES = {
    "Boolean": "BOOL",
    "Int16": "INT16",
    "UInt16": "UINT16",
    "Int32": "INT32",
    "UInt32": "UINT32",
    "Int64": "INT64",
    "Float": "FLOAT32",
    "Double": "FLOAT64",
}


@dataclass(frozen=True, slots=True)
class Node:
    """A variable of the line. `kind` is a built-in type's name; with several `signals` the value is an array of them.

    `watched`: the document asks for a subscription; `limits` (of a `Setpoint`): it may be written.
    """

    name: str
    path: str
    kind: str
    signals: tuple[Signal, ...]
    unit: str = ""
    watched: bool = False
    limits: Limits = None

    @property
    def address(self) -> str:
        """``ns=2;s=Filler.Temperature``."""
        return f"ns={NAMESPACE_INDEX};s={self.path}"

    @property
    def setpoint(self) -> Setpoint | None:
        """What a client may write, if it may."""
        signal = self.signals[0]
        return signal if isinstance(signal, Setpoint) else None

    def entry(self) -> dict[str, object]:
        """The tag as a config document lists it."""
        entry: dict[str, object] = {
            "name": self.name,
            "address": self.address,
            "data_type": _DATA_TYPES.get(self.kind, "STRING"),
            "unit": self.unit,
        }
        if self.watched:
            entry["mode"] = "subscribe"
        return entry | write_rights(self.signals[0], self.limits)
