"""`edge-collector audit`: what was commanded, of a collector that runs or is stopped."""

import json
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from collector.commands.audit import AUDIT_FOLDER
from collector.storage.audit_file import read_audit

EXIT_NONE = 1
NO_RESULT = "no result"
_MOST_SHOWN = 40
_HEADINGS = ("time", "command", "device/tag", "old → new", "status", "id")


@dataclass(slots=True)
class Row:
    """A write, or a command that came to no write; times are as in the log, texts as they came."""

    time: object
    command: object
    subject: str
    change: str
    status: str
    command_id: object


def show_audit(data_dir: Path, last: int, console: Console, *, as_json: bool) -> int:
    """Print the newest records; returns the exit status."""
    folder = data_dir / AUDIT_FOLDER
    try:
        entries = read_audit(folder)
        first = next(entries, None)
    except OSError as error:
        console.print(Text(f"{folder} can not be read: {error.strerror or error}", "red"))
        return EXIT_NONE
    if first is None:
        console.print(Text(f"no audit log in {folder}: nothing was commanded yet, or this is not the DATA_DIR"))
        return EXIT_NONE
    every = chain([first], entries)
    if as_json:
        for entry in deque(every, maxlen=last):
            console.out(json.dumps(entry, ensure_ascii=False), highlight=False)
    else:
        console.print(_table(rows_of(every, last)))
    return 0


def rows_of(entries: Iterable[Mapping[str, object]], last: int) -> Iterable[Row]:
    """The newest rows: a write is one, from intent to result; an intent that has no result was cut off."""
    rows: deque[Row] = deque(maxlen=last)
    intents: dict[tuple[str, object], Row] = {}
    for entry in entries:
        key = repr(entry.get("command_id")), entry.get("tag")
        match entry.get("stage"):
            case "intent":
                intents[key] = _row(entry, NO_RESULT)
                rows.append(intents[key])
            case "result" if key in intents:
                _finish(intents.pop(key), entry)
            case "command" if _tells_nothing_new(entry, rows):
                pass
            case _:
                rows.append(_row(entry, _status(entry)))
    return rows


def _tells_nothing_new(answered: Mapping[str, object], rows: deque[Row]) -> bool:
    """Whether the writes of a command have said already how it ended."""
    wanted = answered.get("command_id"), _status(answered)
    return any((row.command_id, row.status) == wanted for row in rows)


def _row(entry: Mapping[str, object], status: str) -> Row:
    device = entry.get("device") or entry.get("device_id")
    subject = "/".join(str(part) for part in (device, entry.get("tag")) if part is not None)
    change = _change(entry) if "new" in entry else ""
    return Row(entry.get("time"), entry.get("command"), subject, change, status, entry.get("command_id"))


def _finish(row: Row, result: Mapping[str, object]) -> None:
    row.status = _status(result)
    if result.get("status") != "success" and result.get("read_back") is not None:
        row.change += f" (reads {_shown(result['read_back'])})"


def _change(entry: Mapping[str, object]) -> str:
    new = _shown(entry["new"])
    return f"{_shown(entry['old'])} → {new}" if "old" in entry else f"→ {new}"


def _status(entry: Mapping[str, object]) -> str:
    status, code = entry.get("status"), entry.get("code")
    return str(status) if code in (None, status) else f"{status}: {code}"


def _table(rows: Iterable[Row]) -> Table:
    table = Table(*_HEADINGS, box=box.SIMPLE_HEAD, pad_edge=False)
    for row in rows:
        texts = (_moment(row.time), row.command, row.subject, row.change, row.status, row.command_id)
        style = "" if row.status == "success" else "yellow" if row.status.startswith(("rejected", "expired")) else "red"
        table.add_row(*(Text(_printable(str(text)), style) for text in texts))
    return table


def _printable(text: str) -> str:
    """Whoever sends commands may put anything into an id, also what a terminal obeys."""
    return "".join(each if each.isprintable() else "�" for each in text)


def _moment(time: object) -> str:
    """In the time of this machine."""
    try:
        return datetime.fromisoformat(str(time)).astimezone().isoformat(" ", "seconds")
    except (ValueError, OverflowError):
        return str(time)


def _shown(value: object) -> str:
    text = "–" if value is None else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _MOST_SHOWN else f"{text[: _MOST_SHOWN - 1]}…"
