"""A body as it came, turned into objects without losing anything: exact numbers, repeated keys, bounded depth."""

import json
from collections import Counter
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from fleet_client.errors import NotAConfig

MAX_BODY_BYTES = 32 * 1024 * 1024
MAX_DEPTH = 64
TOO_DEEP = f"lists and objects are nested more than {MAX_DEPTH} deep; expected a config document"
_INFINITY = Decimal("Infinity")
_LONGEST_DECIMAL = 4_096  # characters; whoever looked at each of millions of digits would need a tuple of them
_SHORT = 64
_LONGEST_INTEGER = 400  # digits; beyond it Python's int() is slow, and later refuses


class RepeatedKeys(dict[str, object]):
    """A JSON object in which keys stood more than once; the last of each is kept. ``keys_repeated`` names them."""

    keys_repeated: tuple[str, ...]


def parse_text(text: str) -> object:
    """What the JSON text says, numbers with a fraction or an exponent as the exact `Decimal` of their text.

    ``NaN`` and ``Infinity`` come as Decimals too, objects with repeated keys as `RepeatedKeys`. Raises
    `json.JSONDecodeError`, and `RecursionError` where lists and objects are nested too deep for the parser.
    """
    parsed: object = json.loads(
        text, object_pairs_hook=_object, parse_float=_decimal, parse_int=_integer, parse_constant=Decimal
    )
    return parsed


def parse_document(body: bytes) -> object:
    """What a body says, as `parse_text` reads it. UTF-8 with or without a BOM, UTF-16 and UTF-32 are understood.

    Raises `NotAConfig` naming what was found and where.
    """
    if len(body) > MAX_BODY_BYTES:
        raise NotAConfig(f"the document has {len(body):,} bytes; expected at most {MAX_BODY_BYTES:,}")
    text = _decode(body)
    start = text.lstrip()[:1]
    if not start:
        raise NotAConfig("the document is empty; expected a JSON object")
    if start == "<":
        raise NotAConfig(
            "the document looks like a web page; expected JSON: is this the address of the Fleet API, "
            "and no login page or proxy in between?"
        )
    return _parse(text)


def too_deep(value: object, limit: int) -> bool:
    """Whether lists and objects are nested in one another more than ``limit`` times."""
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(limit):
        if not level:
            return False
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
    return bool(level)


def _decode(body: bytes) -> str:
    encoding = json.detect_encoding(body)
    try:
        return body.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        byte, expected = body[error.start], encoding.removesuffix("-sig").upper()
        raise NotAConfig(
            f"byte {error.start:,} of the document (0x{byte:02x}) is not {expected}; expected JSON in UTF-8"
        ) from None


def _parse(text: str) -> object:
    try:
        return parse_text(text)
    except json.JSONDecodeError as error:
        ended = error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated string")
        cut = "; it ends there, as if cut off" if ended else ""
        raise NotAConfig(
            f"the document is not JSON: line {error.lineno}, column {error.colno}: {error.msg}{cut}"
        ) from None
    except RecursionError:
        raise NotAConfig(TOO_DEEP) from None


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    read = dict(pairs)
    if len(read) == len(pairs):
        return read
    counts = Counter(key for key, _ in pairs)
    repeated = RepeatedKeys(read)
    repeated.keys_repeated = tuple(key for key, count in counts.items() if count > 1)
    return repeated


def _decimal(text: str) -> Decimal:
    """The same few scales come a thousand times; long ones are not remembered, for they could take gigabytes."""
    if len(text) > _LONGEST_DECIMAL:
        return _INFINITY
    return _exact(text) if len(text) <= _SHORT else _exact.__wrapped__(text)


@lru_cache(maxsize=1024)
def _exact(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:  # an exponent beyond all range must cost its tag, not the document
        return _INFINITY


def _integer(text: str) -> int | Decimal:
    return int(text) if len(text) <= _LONGEST_INTEGER else Decimal(text)
