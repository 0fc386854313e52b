"""Which tags of a device are computed from which: each after its inputs, and none from itself."""

import contextlib
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from collector.config.expression import Expression, parse_expression
from collector.config.plan import ComputedTag, Remark
from fleet_client.document import DeviceConfig, TagConfig
from fleet_client.reading import DevicePlace
from protocols.base import DataType
from protocols.datatypes import parse_data_type
from protocols.errors import Refused

_STEPS_SHOWN = 10


@dataclass(slots=True)
class ResolvedExpressions:
    """The computed tags that can be used, each after its inputs; why the others can not; what was not used.

    `names` are all tags of the device that have a value: those that are read and those that are computed.
    """

    names: set[str]
    order: list[tuple[str, Expression]] = field(default_factory=list)
    refusals: list[tuple[str, Refused]] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)

    def placed(self, positions: Mapping[str, int]) -> tuple[ComputedTag, ...]:
        """The computed tags by their positions and those of their inputs."""
        return tuple(
            ComputedTag(positions[name], tuple(positions[each] for each in expression.names), expression)
            for name, expression in self.order
        )


def resolve_expressions(device: DeviceConfig, place: DevicePlace, read: Sequence[TagConfig]) -> ResolvedExpressions:
    """Order the computed tags of a device, of which the tags in `read` have a value of their own. Pure."""
    resolved = ResolvedExpressions({tag.name for tag in read})
    no_number = {tag.name: why for tag in read if (why := _no_number(tag))}
    paths: dict[str, str] = {}
    expressions: dict[str, Expression] = {}
    for tag, path in zip(device.tags, place.tags, strict=True):
        if tag.expression is None:
            continue
        paths[tag.name] = path
        try:
            expressions[tag.name] = _parsed(tag, tag.expression)
        except Refused as refusal:
            resolved.refusals.append((f"{path}.{refusal.field}", refusal))
        if tag.address is not None:
            resolved.remarks.append(Remark(f"{path}.address", "is not used: the tag has an expression"))
    unresolved = _in_order(expressions, resolved, no_number)
    for name in unresolved:
        why = _why(name, unresolved, resolved.names, no_number)
        resolved.refusals.append((f"{paths[name]}.expression", Refused("expression", why)))
    return resolved


def names_in_expressions(device: DeviceConfig) -> frozenset[str]:
    """The tags that an expression of the device reckons with; one that can not be read names none."""
    names: set[str] = set()
    for tag in device.tags:
        if tag.expression is not None:
            with contextlib.suppress(Refused):
                names.update(parse_expression(tag.expression).names)
    return frozenset(names)


def _parsed(tag: TagConfig, text: str) -> Expression:
    if tag.scale != 1:
        raise Refused("scale", f"scale is {tag.scale}, but the tag is computed; write it into the expression")
    if tag.offset != Decimal(0):
        raise Refused("offset", f"offset is {tag.offset}, but the tag is computed; write it into the expression")
    expression = parse_expression(text)
    if not expression.names:
        raise Refused("expression", f"{text!r} names no tag of the device; expected at least one")
    return expression


def _no_number(tag: TagConfig) -> str | None:
    """Why a tag that is read can not be reckoned with, as far as the document tells."""
    if tag.data_type is not None and parse_data_type(tag.data_type) is DataType.STRING:
        return f"{tag.name!r} is a STRING"
    if tag.length is not None and tag.length > 1:
        return f"{tag.name!r} is an array"
    return None


def _in_order(
    expressions: Mapping[str, Expression], resolved: ResolvedExpressions, no_number: Mapping[str, str]
) -> dict[str, Expression]:
    """Move what can be computed to `resolved`; returns what can not."""
    usable = resolved.names - no_number.keys()
    missing = {
        name: {each for each in expression.names if each not in usable} for name, expression in expressions.items()
    }
    users: dict[str, list[str]] = {}
    for name, inputs in missing.items():
        for each in inputs:
            users.setdefault(each, []).append(name)
    ready = deque(name for name, inputs in missing.items() if not inputs)
    while ready:
        name = ready.popleft()
        resolved.names.add(name)
        resolved.order.append((name, expressions[name]))
        for user in users.get(name, ()):
            missing[user].discard(name)
            if not missing[user]:
                ready.append(user)
    return {name: expression for name, expression in expressions.items() if missing[name]}


def _why(name: str, unresolved: Mapping[str, Expression], known: set[str], no_number: Mapping[str, str]) -> str:
    """The first input that has no number, or the way round on which the tag comes back to itself."""
    for each in unresolved[name].names:
        if each in no_number:
            return f"{no_number[each]}; expected tags that are single numbers or BOOL"
        if each not in known and each not in unresolved:
            return f"there is no tag {each!r} in this device that has a value; names with spaces or signs stand in [ ]"
    way = [name]
    while len(way) <= _STEPS_SHOWN:
        way.append(next(each for each in unresolved[way[-1]].names if each in unresolved))
        if way[-1] == name:
            return f"it is computed from itself: {' from '.join(way)}"
        if not any(each in unresolved for each in unresolved[way[-1]].names):
            break
    return f"it is computed from {way[1]!r}, which has no value itself"
