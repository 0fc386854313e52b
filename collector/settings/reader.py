"""How one variable is read: text in, a typed value out, and one phrase that says what is expected."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

T_co = TypeVar("T_co", covariant=True)

SEPARATELY = "percent-encode / ? # @ % in a password, or set the password apart from the URL"


class UnfitError(ValueError):
    """The text does not fit. The reason may be empty; it never quotes the text, which may be a secret."""


@dataclass(frozen=True, slots=True)
class Reader(Generic[T_co]):
    """`expects` completes the sentence "expected …"; `read` raises `UnfitError` and nothing else."""

    expects: str
    read: Callable[[str], T_co]

    def __call__(self, text: str) -> T_co:
        return self.read(text)


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of the environment, as an annotation of the settings field of the same name.

    A `secret`, or what may have one in it, is never quoted and may also be given as `NAME_FILE`. `otherwise`
    says in words what counts when it is not set, where no plain value can.
    """

    reader: Reader[object]
    meaning: str
    secret: bool = False
    otherwise: str = ""

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        shown = core_schema.plain_serializer_function_ser_schema(as_plain)
        return core_schema.no_info_plain_validator_function(self.reader, serialization=shown)


def as_plain(value: object) -> object:
    """A setting as `model_dump` gives it and JSON can hold it; secrets and URLs as their masked text."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return [str(item) for item in value] if isinstance(value, tuple) else str(value)
