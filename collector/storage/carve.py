"""The outbox's rows out of raw pages: each is known by its shape, and believed because of its checksum."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from collector.storage.pages import Cell, Pages, varint
from collector.storage.records import Record, Row
from collector.storage.rowcodec import label, unpack

Value = int | str | bytes | None

_PAGES_OF_NOTES = 16
"""The small tables are made with the file: their leaves are among its first pages."""
_INT_BYTES = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}
_NULL, _ZERO, _ONE, _FIRST_BLOB = 0, 8, 9, 12


@dataclass(slots=True)
class Notes:
    """What a file says about itself, as far as that can be read: the counters, and the last start."""

    counters: dict[str, int] = field(default_factory=dict)
    epoch: str | None = None
    last_seq: int | None = None


def read_notes(path: Path, *, log: bool = True) -> Notes:
    """A file's notes; with `log` false, as they were before the write-ahead log. Raises `OSError`."""
    notes = Notes()
    with Pages(path, log=log) as pages:
        for _, record in pages.cells(last=_PAGES_OF_NOTES):
            match columns(record):
                case (str(key), int(value)):
                    notes.counters[key] = value
                case (None, str(epoch), None | int() as last_seq, int()):
                    notes.epoch, notes.last_seq = epoch, last_seq
    return notes


def carve(path: Path) -> Iterator[Row]:
    """The sound messages of a file in no particular order, data and letters, some perhaps deleted long ago.

    Raises `OSError` where the file can not be read.
    """
    with Pages(path) as pages:
        for cell in pages.all_cells():
            row = _row(cell)
            if row is not None:
                yield row


def _row(cell: Cell) -> Row | None:
    number, record = cell
    match columns(record):
        case (
            None, None | str() as epoch, None | int() as seq, int(stamp_ms), str(topic),
            int(), int(packed), int(crc), bytes(body),
        ):  # fmt: skip
            found = Record(topic, body, stamp_ms, epoch, seq)
            payload = unpack(body, packed, crc, label(found))
            if payload is not None and (epoch is None) is (seq is None):
                return Row(number, Record(topic, payload, stamp_ms, epoch, seq))
    return None


def columns(record: bytes) -> tuple[Value, ...] | None:
    """The columns of a record as SQLite stores it; None for what is none."""
    header, at = varint(record, 0)
    values: list[Value] = []
    place = header
    while at < min(header, len(record)):
        kind, at = varint(record, at)
        size = _size(kind)
        if size is None or place + size > len(record):
            return None
        content = record[place : place + size]
        place += size
        try:
            values.append(_value(kind, content))
        except UnicodeDecodeError:
            return None
    return tuple(values)


def _size(kind: int) -> int | None:
    if kind >= _FIRST_BLOB:
        return (kind - _FIRST_BLOB) // 2
    return 0 if kind in (_NULL, _ZERO, _ONE) else _INT_BYTES.get(kind)


def _value(kind: int, content: bytes) -> Value:
    if kind >= _FIRST_BLOB:
        return content.decode() if kind % 2 else content
    if kind == _NULL:
        return None
    return kind - _ZERO if kind in (_ZERO, _ONE) else int.from_bytes(content, signed=True)
