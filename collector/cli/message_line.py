"""A message of an edge as a line for a person."""

from collections.abc import Mapping

import orjson
from rich.text import Text

from collector.clock import iso_utc
from simulators.ledger import Account, Ledger
from simulators.stamps import wall_ms_of

_LONGEST_RAW = 200
_STATUS_FIELDS = ("status", "reason", "config_version", "cpu_percent", "memory_percent", "disk_percent")
_EVENT_OMITS = ("type", "timestamp")


class MessageLines:
    """Books each message in the ledger and tells what is remarkable about it. Never raises."""

    def __init__(self, ledger: Ledger) -> None:
        self.messages = 0
        self._ledger = ledger

    def line(self, topic: str, payload: bytes, received_at_ms: int) -> Text:
        """The line of one message, which is booked by this."""
        self.messages += 1
        _, _, edge_id, kind = topic.split("/", 3)
        message = _parsed(payload)
        if message is None:
            self._ledger.feed(topic, payload, received_at_ms)
            raw = payload[:_LONGEST_RAW].decode(errors="replace")
            return _line(iso_utc(received_at_ms), edge_id, kind, ("not understood: ", "red"), raw)
        stamp = str(message.get("timestamp") or iso_utc(received_at_ms))
        if kind == "data":
            return self._data(topic, payload, received_at_ms, edge_id, stamp, message)
        self._ledger.feed(topic, payload, received_at_ms)
        return _line(stamp, edge_id, kind, *_words(kind, message))

    def _data(
        self, topic: str, payload: bytes, received_at_ms: int, edge_id: str, stamp: str, message: Mapping[str, object]
    ) -> Text:
        meta = _object(message.get("meta"))
        before = _Standing.of(self._account(edge_id, meta))
        not_understood = self._ledger.not_understood
        self._ledger.feed(topic, payload, received_at_ms)
        connection = message.get("connection_id")
        parts: list[str | tuple[str, str]] = [
            (f"connection {connection}  ", "dim"),
            _fields(_object(message.get("tags"))),
        ]
        quality = _object(meta.get("quality"))
        if quality:
            parts.append(("  bad: " + _fields(quality), "red"))
        if self._ledger.not_understood > not_understood:
            parts.append((f"  NOT UNDERSTOOD: {self._ledger.last_not_understood}", "bold red"))
        else:
            parts.append((_delay(stamp, received_at_ms), "dim"))
            parts += [(f"  {mark}", "bold yellow") for mark in self._marks(edge_id, meta, before)]
        return _line(stamp, edge_id, "data", *parts)

    def _marks(self, edge_id: str, meta: Mapping[str, object], before: "_Standing") -> list[str]:
        after, seq = self._account(edge_id, meta), meta.get("seq")
        if after is None or not isinstance(seq, int):
            return []
        marks = []
        if after.conflicts > before.conflicts:
            marks.append(f"DUPLICATE of {seq} WITH OTHER CONTENT")
        elif after.duplicates > before.duplicates:
            marks.append(f"DUPLICATE of {seq}")
        elif after.late > before.late:
            marks.append(f"LATE {seq}")
        elif before.highest is not None and seq > before.highest + 1:
            marks.append(f"GAP {before.highest + 1}–{seq - 1}")
        if meta.get("buffered") is True:
            marks.append("buffered")
        return marks

    def _account(self, edge_id: str, meta: Mapping[str, object]) -> Account | None:
        return self._ledger.accounts.get((edge_id, str(meta.get("epoch"))))


class _Standing:
    """An account as it was before a message."""

    def __init__(self, highest: int | None = None, duplicates: int = 0, conflicts: int = 0, late: int = 0) -> None:
        self.highest = highest
        self.duplicates = duplicates
        self.conflicts = conflicts
        self.late = late

    @classmethod
    def of(cls, account: Account | None) -> "_Standing":
        if account is None:
            return cls()
        return cls(account.seqs.last, account.duplicates, account.conflicts, account.late)


def _words(kind: str, message: Mapping[str, object]) -> tuple[str | tuple[str, str], ...]:
    match kind:
        case "status":
            shown = {name: message[name] for name in _STATUS_FIELDS if message.get(name) is not None}
            return (_fields({**shown, **_counts("devices", message), **_counts("buffer", message)}),)
        case "events":
            rest = {name: value for name, value in message.items() if name not in _EVENT_OMITS}
            return ((f"{message.get('type')}  ", "cyan"), _fields(rest))
        case _:
            return (_fields({name: value for name, value in message.items() if name != "timestamp"}),)


def _counts(name: str, message: Mapping[str, object]) -> dict[str, object]:
    """The figures of a part of the status, ``devices.online``."""
    part = _object(message.get(name))
    return {f"{name}.{key}": value for key, value in part.items() if isinstance(value, int)}


def _delay(stamp: str, received_at_ms: int) -> str:
    try:
        return f"  {received_at_ms - wall_ms_of(stamp):+d} ms"
    except ValueError:  # the ledger does not look at the time of a message that has no number
        return "  time not understood"


def _fields(fields: Mapping[str, object]) -> str:
    return "  ".join(f"{name}={_text(value)}" for name, value in fields.items())


def _text(value: object) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _line(stamp: str, edge_id: str, kind: str, *parts: str | tuple[str, str]) -> Text:
    return Text.assemble((stamp, "dim"), "  ", (edge_id, "bold"), f"  {kind:<9} ", *parts)


def _parsed(payload: bytes) -> Mapping[str, object] | None:
    try:
        message = orjson.loads(payload)
    except ValueError:
        return None
    return message if isinstance(message, dict) else None


def _object(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}
