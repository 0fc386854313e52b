"""Who was told what: counts the data messages of every edge, so that no loss or repetition can hide."""

import zlib
from collections import OrderedDict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field

import orjson

from simulators.number_set import NumberSet
from simulators.stamps import wall_ms_of

DATA_TOPIC = "vexplor/devices/+/data"
EVENTS_TOPIC = "vexplor/devices/+/events"

_KEPT_DELAYS = 100_000
_KEPT_CONTENTS = 200_000


@dataclass(frozen=True, slots=True)
class Gap:
    """Messages that an edge says it lost: numbers `first` to `last`, both included, and why."""

    first: int
    last: int
    reason: str


@dataclass(frozen=True, slots=True)
class Loss:
    """So many messages that an edge says it lost without knowing which, why, and the event's own stamp."""

    count: int
    reason: str
    stamp: str


@dataclass(slots=True)
class Account:
    """What came of one start (`epoch`) of one edge.

    `duplicates` counts repetitions, `conflicts` those that said something else than the first time (a single one
    proves a mix-up), `late` first arrivals below a number that had come. `recorded` is the highest number that
    the edge itself says it recorded. Stamps are wall milliseconds; `delays_ms` are arrival minus stamp.
    """

    edge_id: str
    epoch: str
    seqs: NumberSet = field(default_factory=NumberSet)
    duplicates: int = 0
    conflicts: int = 0
    late: int = 0
    buffered: int = 0
    recorded: int | None = None
    gaps: list[Gap] = field(default_factory=list)
    losses: list[Loss] = field(default_factory=list)
    first_ms: int | None = None
    last_ms: int | None = None
    delays_ms: deque[int] = field(default_factory=lambda: deque(maxlen=_KEPT_DELAYS), repr=False)
    _contents: OrderedDict[int, int] = field(default_factory=OrderedDict, repr=False)

    def holes(self, first: int | None = None, last: int | None = None) -> list[tuple[int, int]]:
        """Missing numbers as closed ranges; from the lowest to the highest seen unless told otherwise."""
        return self._missing_from(self.seqs, first, last)

    def unexplained(self, first: int | None = None, last: int | None = None) -> list[tuple[int, int]]:
        """The holes that no gap report names."""
        accounted = NumberSet()
        for start, end in self.seqs.ranges():
            accounted.add_range(start, end)
        for gap in self.gaps:
            accounted.add_range(gap.first, gap.last)
        return self._missing_from(accounted, first, last)

    def delay_ms(self, percent: float) -> int | None:
        """What `percent` of the newest 100,000 delays do not exceed; None before the first."""
        if not self.delays_ms:
            return None
        ordered = sorted(self.delays_ms)
        return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]

    def enter(self, seq: int, content: int, stamp_ms: int, received_at_ms: int) -> None:
        """Book one message; `content` is a checksum of what it says."""
        highest = self.seqs.last
        if not self.seqs.add(seq):
            self.duplicates += 1
            self.conflicts += self._contents.get(seq, content) != content
            return
        self.late += highest is not None and seq < highest
        self.delays_ms.append(received_at_ms - stamp_ms)
        self.first_ms = stamp_ms if self.first_ms is None else min(self.first_ms, stamp_ms)
        self.last_ms = stamp_ms if self.last_ms is None else max(self.last_ms, stamp_ms)
        self._contents[seq] = content
        if len(self._contents) > _KEPT_CONTENTS:
            self._contents.popitem(last=False)

    def _missing_from(self, numbers: NumberSet, first: int | None, last: int | None) -> list[tuple[int, int]]:
        first = self.seqs.first if first is None else first
        last = self.seqs.last if last is None else last
        return [] if first is None or last is None else numbers.holes(first, last)


class Ledger:
    """The accounts of all edges. Feed it every message of `DATA_TOPIC` and `EVENTS_TOPIC`; it never raises."""

    topics = (DATA_TOPIC, EVENTS_TOPIC)

    def __init__(self) -> None:
        self.accounts: dict[tuple[str, str], Account] = {}
        self.unnumbered = 0
        self.not_understood = 0
        self.last_not_understood: str | None = None

    def feed(self, topic: str, payload: bytes, received_at_ms: int) -> None:
        """Book one message. Data without `meta` only counts as `unnumbered`, other topics not at all."""
        parts = topic.split("/")
        if len(parts) != 4 or parts[:2] != ["vexplor", "devices"] or parts[3] not in ("data", "events"):
            return
        try:
            message = _object(orjson.loads(payload))
            if parts[3] == "data":
                self._feed_data(parts[2], message, received_at_ms)
            else:
                self._feed_event(parts[2], message)
        except (ValueError, KeyError, TypeError) as error:
            self.not_understood += 1
            self.last_not_understood = f"{topic}: {type(error).__name__}: {error}"

    def account(self, edge_id: str, epoch: str | None = None) -> Account:
        """One edge's account; of its newest epoch when none is named. Raises `KeyError` when there is none."""
        if epoch is not None:
            return self.accounts[edge_id, epoch]
        epochs = [known for edge, known in self.accounts if edge == edge_id]
        if not epochs:
            raise KeyError(f"nothing came from edge {edge_id}")
        return self.accounts[edge_id, max(epochs, key=lambda known: int(known, 36))]

    @property
    def received(self) -> int:
        """Distinct messages over all accounts."""
        return sum(len(account.seqs) for account in self.accounts.values())

    @property
    def duplicates(self) -> int:
        """Repetitions over all accounts."""
        return sum(account.duplicates for account in self.accounts.values())

    @property
    def missing(self) -> int:
        """Numbers that lie in unexplained holes, over all accounts."""
        holes = [hole for account in self.accounts.values() for hole in account.unexplained()]
        return sum(end - start + 1 for start, end in holes)

    def _feed_data(self, edge_id: str, message: Mapping[str, object], received_at_ms: int) -> None:
        if "meta" not in message:
            self.unnumbered += 1
            return
        meta = _object(message["meta"])
        stamp_ms = wall_ms_of(message["timestamp"])
        content = zlib.crc32(orjson.dumps([message["timestamp"], message["tags"], meta.get("part")]))
        seq = _number(meta["seq"])
        account = self._account(edge_id, _text(meta["epoch"]))
        account.buffered += meta.get("buffered") is True
        account.enter(seq, content, stamp_ms, received_at_ms)

    def _feed_event(self, edge_id: str, message: Mapping[str, object]) -> None:
        if message["type"] == "gap":
            self._feed_gap(self._account(edge_id, _text(message["epoch"])), message)
        elif message["type"] == "restart":
            epoch, recorded = message.get("previous_epoch"), message.get("last_recorded_seq")
            if epoch is not None and recorded is not None:
                self._account(edge_id, _text(epoch)).recorded = _number(recorded)
        elif message["type"] == "drained":
            recorded_to = _number(message["to_seq"])
            account = self._account(edge_id, _text(message["epoch"]))
            account.recorded = max(account.recorded or 0, recorded_to)

    def _feed_gap(self, account: Account, message: Mapping[str, object]) -> None:
        first, last, reason = message["from_seq"], message["to_seq"], _text(message["reason"])
        if first is None or last is None:
            loss = Loss(_number(message["count"]), reason, _text(message["timestamp"]))
            if loss not in account.losses:
                account.losses.append(loss)
            return
        gap = Gap(_number(first), _number(last), reason)
        if gap not in account.gaps:
            account.gaps.append(gap)

    def _account(self, edge_id: str, epoch: str) -> Account:
        key = (edge_id, epoch)
        if key not in self.accounts:
            int(epoch, 36)
            self.accounts[key] = Account(edge_id, epoch)
        return self.accounts[key]


def _object(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise TypeError(f"expected a JSON object, found {type(value).__name__}")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expected a text, found {value!r}")
    return value


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"expected a whole number, found {value!r}")
    return value
