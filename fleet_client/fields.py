"""The keys of the document's objects, in whatever spelling they come, and the objects inside others."""

import re
from collections.abc import Mapping
from decimal import Decimal
from functools import cache, lru_cache

from pydantic import BaseModel, BeforeValidator, ValidationInfo, ValidatorFunctionWrapHandler, WrapValidator
from pydantic_core import PydanticCustomError

from fleet_client.json_text import RepeatedKeys
from fleet_client.lenient import as_text, encodable
from fleet_client.notes import Reading, joined, printable

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_GAP = re.compile(r"[\s\-_.]+")
_MAX_LABELS = 1_000
_MAX_DIGITS = 50
_SHORT = 64
"""What is longer is not remembered: a cache of such keys could take gigabytes."""


def read_fields(model: type[BaseModel], sent: object, reading: Reading) -> dict[str, object]:
    """The known fields of an object under their own names; null, blank and unknown ones are left out."""
    if not isinstance(sent, dict):
        raise no_object(sent)
    _note_repeated(sent, reading)
    fields = _spellings(model)
    read: dict[str, object] = {}
    for key, value in sent.items():
        if _absent(value):
            continue
        name = fields.get(key) or fields.get(_squashed(key[:64]))
        if name is None:
            reading.note_key(model.__name__, key, "is no known field and was ignored")
            continue
        if name != key:
            reading.note_key(model.__name__, key, f"was read as {name}")
        read[name] = value
    return read


def inner_object() -> WrapValidator:
    """An object inside another: what is noted of its fields bears its name in the path."""

    def read(sent: object, validate: ValidatorFunctionWrapHandler, info: ValidationInfo) -> object:
        reading = info.context
        if not isinstance(reading, Reading):
            return validate(sent)
        outer, reading.path = reading.path, joined(reading.path, info.field_name)
        try:
            return validate(sent)
        finally:
            reading.path = outer

    return WrapValidator(read)


def connection_fields() -> BeforeValidator:
    """A connection: keys in snake_case, null and blank left out, numbers as int or float. Shows no value, ever."""

    def read(sent: object, info: ValidationInfo) -> dict[str, object]:
        if not isinstance(sent, dict):
            raise no_object(sent)
        if isinstance(info.context, Reading):
            _note_repeated(sent, info.context, info.field_name)
        return {_snake_case(key): _plain(value) for key, value in sent.items() if not _absent(value)}

    return BeforeValidator(read)


def value_labels() -> BeforeValidator:
    """A value map: what a value, written as text, is called."""

    def read(sent: object) -> dict[str, str]:
        if not isinstance(sent, dict):
            raise no_object(sent)
        if len(sent) > _MAX_LABELS:
            raise PydanticCustomError("too_many", f"found {len(sent):,} labels, expected at most {_MAX_LABELS:,}")
        return {as_text(key, 256): as_text(label, 256) for key, label in sent.items() if label is not None}

    return BeforeValidator(read)


def _absent(value: object) -> bool:
    return value is None or (type(value) is str and (not value or value.isspace()))


def no_object(sent: object) -> PydanticCustomError:
    kinds: dict[type, str] = {str: "text", list: "a list", bool: "true or false", type(None): "null"}
    return PydanticCustomError("wrong_type", f"found {kinds.get(type(sent), 'a number')}, expected an object")


def _note_repeated(sent: Mapping[str, object], reading: Reading, inside: str | None = None) -> None:
    if isinstance(sent, RepeatedKeys):
        for key in sent.keys_repeated:
            reading.note(
                joined(inside or "", printable(key)), "stands more than once in its object; the last one was taken"
            )


@cache
def _spellings(model: type[BaseModel]) -> dict[str, str]:
    names = [field.alias or name for name, field in model.model_fields.items()]
    return {_squashed(name): name for name in names} | {name: name for name in names}


@lru_cache(maxsize=1_024)
def _squashed(key: str) -> str:
    return _GAP.sub("", key).lower()


def _snake_case(key: str) -> str:
    return _in_snake_case(key) if len(key) <= _SHORT else _in_snake_case.__wrapped__(key)


@lru_cache(maxsize=1_024)
def _in_snake_case(key: str) -> str:
    return _GAP.sub("_", _HUMP.sub("_", key.strip())).lower()


def _plain(value: object) -> object:
    """A connection's value as drivers know them: no Decimal."""
    match value:
        case Decimal():
            return int(value) if _is_whole(value) else float(value)
        case str() if not encodable(value):
            raise PydanticCustomError("wrong_type", "found lone surrogates in a text, expected what UTF-8 can carry")
        case dict():
            return {key: _plain(inner) for key, inner in value.items()}
        case list():
            return [_plain(inner) for inner in value]
        case _:
            return value


def _is_whole(value: Decimal) -> bool:
    return value.is_finite() and value.adjusted() < _MAX_DIGITS and value == value.to_integral_value()
