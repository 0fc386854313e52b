"""Places where the process can be made to die, for tests of what it leaves behind.

``CRASHPOINT=in-commit:3`` in the environment of the process ends it, as kill -9 would, at the third passing of that
point. Without it a passing is a call of an empty function.
"""

import os
import threading
from collections.abc import Callable, Mapping
from enum import StrEnum

_KILLED = 137


class CrashPoint(StrEnum):
    """The points, by the name that ``CRASHPOINT`` gives them."""

    READ_NO_COMMIT = "read-no-commit"
    """A message was recorded, in memory only."""
    IN_COMMIT = "in-commit"
    """Messages are written, the transaction is not committed."""
    COMMITTED_UNSENT = "committed-unsent"
    """Messages are on disk, and nothing was done with them since."""
    SENT_UNACKED = "sent-unacked"
    """The broker has a message; its PUBACK has come and nothing has been done about it."""
    ACKED_UNDELETED = "acked-undeleted"
    """The PUBACK of a message on disk was noted; its row is still there."""
    IN_DELETE = "in-delete"
    """Acknowledged rows are deleted, the transaction is not committed."""
    IN_PURGE = "in-purge"
    """Rows over the limit are deleted and their gap written, the transaction is not committed."""
    IN_CHECKPOINT = "in-checkpoint"
    """The write-ahead log is being moved into the file; it dies at any moment of that."""
    IN_MIGRATION = "in-migration"
    """A schema step is done, the transaction is not committed."""
    IN_DEAD_LETTER_MOVE = "in-dead-letter-move"
    """A refused message lies with the dead letters, the transaction is not committed."""
    FIRST_CREATION = "first-creation"
    """A new outbox file is there, and empty."""
    IN_SALVAGE = "in-salvage"
    """A damaged file is set aside; a block of its rows, or all of them, is saved in the new one."""
    IN_CONFIG_WRITE = "in-config-write"
    """A document's body is on disk, its checksum is still the one before's."""


def _never(_point: CrashPoint) -> None:
    pass


def armed(environment: Mapping[str, str]) -> Callable[[CrashPoint], None]:
    """What to call at each point. Raises `ValueError` for a ``CRASHPOINT`` that names none."""
    wanted = environment.get("CRASHPOINT")
    if not wanted:
        return _never
    name, _, number = wanted.partition(":")
    point, left = CrashPoint(name), int(number or 1)

    def count(passed: CrashPoint) -> None:
        nonlocal left
        if passed is point:
            left -= 1
            if left == 0:
                _die(point)

    return count


def _die(point: CrashPoint) -> None:
    if point is CrashPoint.IN_CHECKPOINT:
        # SQLite calls nobody while it moves pages: only another thread can strike in the middle.
        threading.Thread(target=os._exit, args=(_KILLED,), daemon=True).start()
    else:
        os._exit(_KILLED)


passing = armed(os.environ)
"""Call it where a point is passed."""
