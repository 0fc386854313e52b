"""What scribes said (`scribe.py`), as a record."""

from collections.abc import Iterable

import orjson

from tests.judge.records import Arrival, Gap, Id, Record, Restart


class Transcript:
    """Heard one scribe after the other; `record` is what the judge wants of it."""

    def __init__(self) -> None:
        self.drained = False
        self.safe = 0
        self._made: dict[int, float] = {}
        self._owed: set[int] = set()
        self._batch: list[int] = []
        self._arrivals: list[Arrival] = []
        self._gaps: list[Gap] = []
        self._restarts: list[Restart] = []

    def hear(self, lines: Iterable[str]) -> None:
        """What one scribe said until its end. A last line that was cut off is ignored."""
        self._batch = []
        for line in lines:
            word, _, rest = line.partition(" ")
            match word:
                case "made":
                    first, count = map(int, rest.split())
                    self._batch += range(first, first + count)
                    self._made.update(dict.fromkeys(range(first, first + count), 0.0))
                case "safe":
                    self._owed.update(self._batch)
                    self._batch = []
                case "heard":
                    self._arrive(rest)
                case "event":
                    self._learn(orjson.loads(rest))
                case "drained":
                    self.drained = True

    @property
    def made(self) -> int:
        """How many samples were made."""
        return len(self._made)

    def record(self) -> Record:
        """Of all that was heard so far."""
        return Record(
            made=self._made,
            owed=frozenset(self._owed),
            arrivals=self._arrivals,
            gaps=self._gaps,
            restarts=self._restarts,
        )

    def _arrive(self, rest: str) -> None:
        epoch, seq, sample, digest = rest.split()
        at = float(len(self._arrivals))
        self._arrivals.append(Arrival(Id.of(epoch, int(seq)), int(sample), int(digest), at))

    def _learn(self, event: dict[str, object]) -> None:
        if event["type"] == "gap":
            gap = gap_of(event)
            if gap is not None and gap not in self._gaps:
                self._gaps.append(gap)
        elif event["type"] == "restart":
            self._restarts.append(restart_of(event))


def gap_of(event: dict[str, object]) -> Gap | None:
    """A ``gap`` event; None for one that says that something is lost, and can not say what: it excuses nothing."""
    epoch, first, last, count = event["epoch"], event["from_seq"], event["to_seq"], event["count"]
    if not (isinstance(epoch, str) and isinstance(first, int) and isinstance(last, int) and isinstance(count, int)):
        return None
    return Gap(int(epoch, 36), first, last, count, str(event["reason"]))


def restart_of(event: dict[str, object]) -> Restart:
    """A ``restart`` event."""
    epoch, seq = event["previous_epoch"], event["last_recorded_seq"]
    return Restart(int(epoch, 36) if isinstance(epoch, str) else None, seq if isinstance(seq, int) else None)
