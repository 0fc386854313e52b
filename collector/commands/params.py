"""The parameters of a command, each as the type it must have."""

from collector.commands.outcome import CommandFailed, Params
from protocols.base import Value

MAX_READ = 500
MAX_WRITTEN = 100
"""Tags in one command, which holds up the polls of its device for as long as it takes."""


def device_id_of(params: Params) -> str:
    """Which device is meant; a number is taken for its text."""
    match params.get("device_id"):
        case bool():
            pass
        case str() | int() as device_id if str(device_id).strip():
            return str(device_id)
    raise _wrong("device_id", 'the id of a device, such as "1"')


def tags_of(params: Params) -> list[str]:
    """Which tags are meant, each once, in the order in which they are named first."""
    match params.get("tags"):
        case str() as tag if tag:
            return [tag]
        case list() as tags if tags and len(tags) <= MAX_READ and all(isinstance(tag, str) for tag in tags):
            return list(dict.fromkeys(tags))
    raise _wrong("tags", f"a list of 1 to {MAX_READ} tag names")


def value_of(params: Params) -> dict[str, Value]:
    """One tag and the value it is to have."""
    tag = params.get("tag")
    if not isinstance(tag, str) or not tag:
        raise _wrong("tag", "the name of a tag")
    if "value" not in params:
        raise _wrong("value", "the value to write, in engineering units")
    return {tag: _value(params["value"], "value")}


def values_of(params: Params) -> dict[str, Value]:
    """The tags and the values they are to have, in the order in which they are to be written."""
    values = params.get("values")
    if not isinstance(values, dict) or not 0 < len(values) <= MAX_WRITTEN:
        raise _wrong("values", f"an object of 1 to {MAX_WRITTEN} tags and their values")
    return {str(tag): _value(value, f"values.{tag}") for tag, value in values.items()}


def node_of(params: Params) -> str | None:
    """The node below which to look; None for the topmost."""
    match params.get("node"):
        case None | "":
            return None
        case str() as node:
            return node
    raise _wrong("node", "a node id such as ns=2;s=Line1, or none")


def _value(sent: object, place: str) -> Value:
    match sent:
        case bool() | int() | float() | str():
            return sent
        case list():
            return [_value(each, place) for each in sent]
    raise _wrong(place, "a number, true or false, a text, or a list of these")


def _wrong(place: str, expected: str) -> CommandFailed:
    return CommandFailed("rejected", "invalid_command", f"params.{place}: expected {expected}")
