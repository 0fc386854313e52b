"""Config documents with one thing wrong in each: every field, in every way that a database or a hand gets it wrong."""

import copy
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

Path: TypeAlias = tuple[str | int, ...]
Document: TypeAlias = dict[str, Any]

GONE = object()
NESTED = json.loads("[" * 80 + "]" * 80)
VALUES: Mapping[str, object] = {
    "gone": GONE, "null": None, "blank": " ", "true": True, "zero": 0, "minus": -1, "half": 0.5, "huge": 10**400,
    "tiny": 5e-324, "NaN": float("nan"), "infinite": float("-inf"), "words": "무엇", "long": "x" * 100_000,
    "half a character": "\ud800", "NUL": "a\0b", "list": [], "object": {}, "many": list(range(2_000)), "deep": NESTED,
}  # fmt: skip


def every_field() -> dict[str, Any]:
    """A device in which every field of a device and of a tag stands, at an address that nobody is at."""
    tag = {
        "name": "a", "address": "40001", "data_type": "UINT16", "byte_order": "ABCD", "scale": 0.1, "offset": 1,
        "unit": "°C", "interval_ms": 500, "deadband": 1, "deadband_percent": 2, "writable": True, "write_min": 0,
        "write_max": 9, "write_max_step": 1, "length": 1, "value_map": {"0": "STOP"}, "description": "d",
        "mode": "poll", "thresholds": {"low_low": 0, "low": 1, "high": 2, "high_high": 3, "hysteresis": 1,
                                       "delay_sec": 1},
    }  # fmt: skip
    return {
        "id": "victim", "name": "희생", "protocol": "modbus_tcp",
        "connection": {"host": "127.0.0.1", "port": 9, "unit_id": 1, "max_registers": 100, "max_gap": 2},
        "interval_ms": 1000, "enabled": True, "equipment_id": 4, "connection_id": 7, "timeout_ms": 100,
        "request_delay_ms": 0, "location": {"factory": "1", "building": "A", "floor": "2", "zone": "Z"},
        "publish": "on_change", "publish_max_sec": 60,
        "tags": [tag, {"name": "c", "expression": "a * 2"}, {"name": "b", "address": "2", "register": "holding",
                 "data_type": "STRING", "length": 8, "encoding": "cp949", "bit": None}],
    }  # fmt: skip


def places(value: object, path: Path = ()) -> Iterator[Path]:
    """Every place in a document, from the outside in."""
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield from places(each, (*path, key))


def spoilt(document: Document, place: Path, value: object) -> Document:
    """A copy with another value at this place, or without the place."""
    result = copy.deepcopy(document)
    holder: Any = result
    for key in place[:-1]:
        holder = holder[key]
    if value is GONE:
        del holder[place[-1]]
    else:
        holder[place[-1]] = copy.deepcopy(value)
    return result


def corpus(document: Document, spared: Callable[[Path], bool]) -> Iterator[str]:
    """Bodies: every field not spared with every value, then the text cut, doubled and with keys that repeat."""
    for place in places(document):
        if place and not spared(place):
            for value in VALUES.values():
                yield json.dumps(spoilt(document, place, value))
    text = json.dumps(document)
    yield from (text[: len(text) * part // 30] for part in range(30))
    yield text + text
    yield text.replace('"victim"', '"victim", "id": "victim"')
    yield f"[{text}]"
    yield text.replace('"tags"', '"Tags"')
