"""A document in YAML, said again in JSON."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import yaml

from fleet_client.errors import NotAConfig
from fleet_client.json_text import MAX_BODY_BYTES

_NODE_BYTES = 12  # about what a value takes in JSON beside its text


def json_of(file: Path, content: bytes, variable: re.Pattern[str], value_of: Callable[[str], str]) -> bytes:
    """What the file's content says, as JSON, with the value of each name that `variable` finds in it.

    Raises `NotAConfig` for what is no YAML, and over 32 MiB.
    """
    text = content.decode("utf-8-sig", "replace")
    marker = "variable"
    while marker in text:
        marker += "_"
    # A variable's value is filled in after YAML was read, which would take a # or a colon in it for its own.
    marked = variable.sub(rf"{marker}<\1>", text)
    filling = _Filling(re.compile(rf"{marker}<(\w+)>"), value_of)
    try:
        said = yaml.load(marked, _PlainLoader)  # noqa: S506 - a safe loader
        return json.dumps(filling.filled(said), ensure_ascii=False).encode()
    except _TooLarge:
        raise NotAConfig(f"{file} says more than {MAX_BODY_BYTES:,} bytes, its anchors repeated") from None
    except (yaml.YAMLError, TypeError, ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise NotAConfig(f"{file} is no YAML document: {reason}") from None


class _TooLarge(Exception):
    pass


class _Filling:
    """Fills in variables, and gives up on anchors that were made to multiply."""

    def __init__(self, marked: re.Pattern[str], value_of: Callable[[str], str]) -> None:
        self._marked = marked
        self._value_of = value_of
        self._room = MAX_BODY_BYTES

    def filled(self, said: object) -> object:
        self._room -= _NODE_BYTES + (len(said) if isinstance(said, str) else 0)
        if self._room < 0:
            raise _TooLarge
        match said:
            case str():
                return self._marked.sub(lambda found: self._value_of(found[1]), said)
            case dict():
                return {self.filled(key): self.filled(value) for key, value in said.items()}
            case list():
                return [self.filled(value) for value in said]
            case _:
                return said


class _PlainLoader(yaml.CSafeLoader):
    """Leaves every scalar the text it was written as: YAML would make ``00001`` a 1 and ``on`` a truth."""


_PlainLoader.yaml_implicit_resolvers = {
    first: [
        (tag, pattern) for tag, pattern in resolvers if tag in ("tag:yaml.org,2002:null", "tag:yaml.org,2002:merge")
    ]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}
