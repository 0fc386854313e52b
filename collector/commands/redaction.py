"""A configuration document as it may be shown: without what opens doors."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from collector.settings.masking import MASK, SHORTEST_SECRET

_SECRET_PARTS = ("password", "passwd", "passphrase", "pwd", "secret", "token", "credential", "privatekey", "apikey")

_MOST_DIGITS = 400

_PLACES = frozenset({"host", "ip", "endpoint", "endpointurl", "url"})

# The user ends at the first colon: were it any, a text of a million of them would be searched a million times.
_URL_LOGIN = re.compile(r"(\w://)[^/\s@:]*:[^/\s]*@")
_LOGIN = re.compile(r"^(\w[\w.+-]*://)?.*@", re.DOTALL)


def without_secrets(body: bytes) -> Mapping[str, object]:
    """The document as an object, with ``***`` for every value under a key that speaks of a secret and for every log-in
    inside a URL. `body` is JSON in any of its encodings."""
    return _masked_object(_parsed(body))


def _masked_object(fields: Mapping[str, object]) -> Mapping[str, object]:
    return {key: _masked_field(key, value) for key, value in fields.items()}


def _masked_field(key: str, value: object) -> object:
    if _is_secret(key) and value:
        return MASK
    if _bare(key) in _PLACES and isinstance(value, str):
        return _LOGIN.sub(rf"\1{MASK}@", value)
    return _masked(value)


def _masked(value: object) -> object:
    if isinstance(value, dict):
        return _masked_object(value)
    if isinstance(value, list):
        return [_masked(inner) for inner in value]
    return _URL_LOGIN.sub(rf"\1{MASK}@", value) if isinstance(value, str) else value


def _is_secret(key: str) -> bool:
    return any(part in _bare(key) for part in _SECRET_PARTS)


def _bare(key: str) -> str:
    return key.lower().replace("_", "").replace("-", "").replace(" ", "")


def secrets_of(body: bytes) -> tuple[str, ...]:
    """The texts that `without_secrets` masks under their keys, so that they can be masked elsewhere too."""
    return tuple(_hidden(_parsed(body)))


def _parsed(body: bytes) -> Any:
    return json.loads(body, parse_int=_integer)


def _integer(text: str) -> int | str:
    """`int` refuses thousands of digits, which a document may well have where they cost a tag."""
    return int(text) if len(text) <= _MOST_DIGITS else text


def _hidden(value: object, *, secret: bool = False) -> Iterator[str]:
    match value:
        case dict():
            for key, inner in value.items():
                yield from _hidden(inner, secret=secret or _is_secret(key))
        case list():
            for inner in value:
                yield from _hidden(inner, secret=secret)
        case str() if secret and len(value) >= SHORTEST_SECRET:
            yield value
