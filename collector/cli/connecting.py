"""The connection that a command line describes: every field of it is one that the protocol has."""

from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from protocols.base import Connection
from protocols.errors import Refused

ConnectionT = TypeVar("ConnectionT", bound=Connection)

_OF_EVERY_LINK = frozenset({"host", "port", "endpoint"})
"""Have options of their own."""


def connection_of(
    check: Callable[[Mapping[str, object], float], ConnectionT], fields: Mapping[str, object], timeout_s: float
) -> ConnectionT:
    """What a driver's `connection` makes of the fields. Raises `Refused`, also on one that it never looked for.

    A document may hold more than is used; what somebody types is meant.
    """
    given = {name: value for name, value in fields.items() if value is not None}
    looked_up = _LookedUp(given)
    connection = check(looked_up, timeout_s)
    for name in given:
        if name not in looked_up.names:
            known = ", ".join(sorted(looked_up.names - _OF_EVERY_LINK)) or "none"
            raise Refused(name, f"this protocol has no such field; --set takes: {known}")
    return connection


class _LookedUp(Mapping[str, object]):
    """Fields that remember by which names they were looked for."""

    def __init__(self, fields: Mapping[str, object]) -> None:
        self._fields = fields
        self.names: set[str] = set()

    def __getitem__(self, name: str) -> object:
        self.names.add(name)
        return self._fields[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)
