"""Commands as they come from the broker: lenient in their keys, strict in everything that is carried out."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from math import isfinite

from fleet_client.errors import InvalidCommand
from fleet_client.json_text import MAX_DEPTH, RepeatedKeys, parse_text, too_deep
from fleet_client.lenient import encodable
from fleet_client.notes import printable, shown

MAX_COMMAND_BYTES = 64 * 1024
_ID_KEYS = ("command_id", "id", "commandId")
_NAME_KEYS = ("command", "type", "action", "command_type", "commandType")
_PARAMS_KEYS = ("params", "payload", "parameters", "args")
_TIMESTAMP_KEYS = ("timestamp",)
_EXPIRES_KEYS = ("expires_at", "expiresAt")
_MAX_LENGTH = 256
_LARGEST_INTEGER = 2**64
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECONDS = re.compile(r"\d{1,15}(\.\d{1,9})?", re.ASCII)
_FIRST_MS = 100_000_000_000  # in seconds the year 5138, in milliseconds 1973: from here on milliseconds are meant
_LAST_MS = 253_402_300_800_000  # the year 10000


@dataclass(frozen=True, slots=True)
class Command:
    """A command that can be understood; whether it may be carried out is judged elsewhere.

    ``command_id`` is as it came, ``id_key`` the key it came under; ``command`` is in lower case; numbers in
    ``params`` are int or float, never NaN. ``timestamp_ms`` and ``expires_at_ms`` are milliseconds since 1970 UTC,
    None where the command has none.
    """

    command_id: str | int
    id_key: str
    command: str
    params: Mapping[str, object]
    timestamp_ms: int | None = None
    expires_at_ms: int | None = None


def read_command(payload: bytes) -> Command:
    """Read a command message. Raises `InvalidCommand` with as much of its id and name as could be read."""
    sent = _object(payload)
    id_key, command_id = _identity(sent)
    name = _name(sent)
    try:
        if command_id is None or id_key is None:
            raise InvalidCommand(f"the command has no id, expected text or a whole number as {_either(_ID_KEYS)}")
        if name is None:
            raise InvalidCommand(f"the command has no name, expected text as {_either(_NAME_KEYS)}")
        _check_keys(sent, "the command")
        return Command(
            command_id, id_key, name, _params(sent), _stamp(sent, _TIMESTAMP_KEYS), _stamp(sent, _EXPIRES_KEYS)
        )
    except InvalidCommand as error:
        raise InvalidCommand(str(error), command_id, id_key, name) from None


def _object(payload: bytes) -> dict[str, object]:
    if len(payload) > MAX_COMMAND_BYTES:
        raise InvalidCommand(f"the command has {len(payload):,} bytes, expected at most {MAX_COMMAND_BYTES:,}")
    nested = f"lists and objects in the command are nested more than {MAX_DEPTH} deep"
    try:
        sent = parse_text(payload.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise InvalidCommand(f"byte {error.start} of the command is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise InvalidCommand(
            f"the command is not JSON: line {error.lineno}, column {error.colno}: {error.msg}"
        ) from None
    except RecursionError:
        raise InvalidCommand(nested) from None
    if too_deep(sent, MAX_DEPTH):
        raise InvalidCommand(nested)
    if not isinstance(sent, dict):
        raise InvalidCommand(f"the command is {shown(sent)}, expected an object")
    return sent


def _identity(sent: Mapping[str, object]) -> tuple[str | None, str | int | None]:
    for key in _ID_KEYS:
        match sent.get(key):
            case bool():
                continue
            case str() as text if _is_name(text):
                return key, text
            case int() as number if abs(number) < _LARGEST_INTEGER:
                return key, number
    return None, None


def _name(sent: Mapping[str, object]) -> str | None:
    _, name = _first(sent, _NAME_KEYS)
    return name.strip().lower() if isinstance(name, str) and _is_name(name) else None


def _is_name(text: str) -> bool:
    return bool(text.strip()) and len(text) <= _MAX_LENGTH and encodable(text)


def _params(sent: Mapping[str, object]) -> dict[str, object]:
    key, params = _first(sent, _PARAMS_KEYS)
    if params is None:
        return {}
    if not isinstance(params, dict):
        raise InvalidCommand(f"{key} is {shown(params)}, expected an object")
    return _checked_object(params, key)


def _checked_object(sent: dict[str, object], place: str) -> dict[str, object]:
    _check_keys(sent, place)
    return {key: _checked(value, f"{place}.{printable(key)}") for key, value in sent.items()}


def _check_keys(sent: dict[str, object], place: str) -> None:
    """Of two values under one key nobody knows which is meant; what is carried out must not be a guess."""
    if isinstance(sent, RepeatedKeys):
        raise InvalidCommand(f"{place} has the key {shown(sent.keys_repeated[0])} more than once, expected once")
    for key in sent:
        if not encodable(key):
            raise InvalidCommand(f"{place} has the key {shown(key)}, expected text that UTF-8 can carry")


def _checked(value: object, place: str) -> object:
    match value:
        case Decimal():
            number = float(value)
            if not isfinite(number):
                raise InvalidCommand(f"{place} is {shown(value)}, expected a number in a double's range")
            return number
        case str() if not encodable(value):
            raise InvalidCommand(f"{place} is {shown(value)}, expected text that UTF-8 can carry")
        case dict():
            return _checked_object(value, place)
        case list():
            return [_checked(inner, f"{place}[{index}]") for index, inner in enumerate(value)]
        case _:
            return value


def _stamp(sent: Mapping[str, object], keys: tuple[str, ...]) -> int | None:
    key, value = _first(sent, keys)
    if value is None:
        return None
    stamp = _ms(value)
    if stamp is None:
        raise InvalidCommand(
            f"{key} is {shown(value)}, expected ISO 8601 such as 2026-04-17T08:00:00.123Z, or seconds or "
            "milliseconds since 1970"
        )
    return stamp


def _ms(value: object) -> int | None:
    match value:
        case bool():
            return None
        case int() | Decimal():
            return _epoch_ms(value)
        case str():
            return _text_ms(value.strip())
        case _:
            return None


def _text_ms(text: str) -> int | None:
    if _SECONDS.fullmatch(text):
        return _epoch_ms(Decimal(text))
    try:
        stamp = datetime.fromisoformat(text)
    except ValueError:
        return None
    aware = stamp if stamp.tzinfo else stamp.replace(tzinfo=UTC)
    return (aware - _EPOCH) // timedelta(milliseconds=1)


def _epoch_ms(number: int | Decimal) -> int | None:
    if not Decimal(number).is_finite() or not 0 <= number < _LAST_MS:
        return None
    return int(number) if number >= _FIRST_MS else int(number * 1000)


def _first(sent: Mapping[str, object], keys: tuple[str, ...]) -> tuple[str, object]:
    """The first of the keys that holds something; null and blank are absent."""
    for key in keys:
        value = sent.get(key)
        if value is not None and not (isinstance(value, str) and not value.strip()):
            return key, value
    return keys[0], None


def _either(keys: tuple[str, ...]) -> str:
    return f"{', '.join(keys[:-1])} or {keys[-1]}"
