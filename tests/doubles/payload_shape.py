"""The shape of JSON payloads: which paths hold which kinds of values, and whether a written example has that shape."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

Shape = dict[str, set[str]]
"""JSON paths (``devices.trouble[].id``) and the kinds of what was seen there."""

_FREE_KEYS = ("tags", "quality")
"""Objects whose keys are the names of tags."""


def shape_of(payload: object) -> Shape:
    """The shape of one payload; items of a list are laid over one another."""
    shape: defaultdict[str, set[str]] = defaultdict(set)
    for path, kind in _walk(payload, ""):
        shape[path].add(kind)
    return dict(shape)


def differences(example: object, produced: Iterable[object]) -> list[str]:
    """What an example has that was never produced, and what it lacks that always was, where its place is there."""
    written, seen = shape_of(example), [shape_of(payload) for payload in produced]
    allowed: defaultdict[str, set[str]] = defaultdict(set)
    for shape in seen:
        for path, kinds in shape.items():
            allowed[path] |= kinds
    found = [
        f"{path} is {', '.join(kinds)}, produced is {', '.join(allowed[path]) or 'nothing'}"
        for path, kinds in written.items()
        if not kinds <= allowed[path]
    ]
    always = (path for path in allowed if not path.endswith("[]") and _always(path, seen))
    return found + [f"{path} is missing" for path in always if path not in written and _parent(path) in written]


def _always(path: str, seen: list[Shape]) -> bool:
    return all(path in shape for shape in seen if _parent(path) in shape)


def _parent(path: str) -> str:
    return path.removesuffix("[]") if path.endswith("[]") else path.rpartition(".")[0]


def _walk(value: object, path: str) -> Iterator[tuple[str, str]]:
    match value:
        case dict():
            yield path, "an object"
            if path.rpartition(".")[2] not in _FREE_KEYS:
                for key, inner in value.items():
                    yield from _walk(inner, f"{path}.{key}")
        case list():
            yield path, "a list"
            for inner in value:
                yield from _walk(inner, f"{path}[]")
        case bool():
            yield path, "true or false"
        case int() | float():
            yield path, "a number"
        case str():
            yield path, "text"
        case _:
            yield path, "null"
