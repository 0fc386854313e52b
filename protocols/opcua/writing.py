"""From our values to a server's: in the type that the node has."""

import base64
import math
import struct
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any, TypeAlias

from asyncua import ua

from protocols.base import Scalar, Value
from protocols.errors import RequestRefused
from protocols.opcua import statuses
from protocols.opcua.nodes import read_request
from protocols.opcua.requests import OpcUaWrite
from protocols.opcua.wire import Wire
from protocols.quality import Quality
from protocols.scaling import Scaling

Maker: TypeAlias = Callable[[Scalar], object]


async def write_value(wire: Wire, node: ua.NodeId, write: OpcUaWrite) -> None:
    """Ask for the node's type, and write once. Raises `RequestRefused` or `SessionError`."""
    current = await _current(wire, node, write)
    question = ua.WriteRequest()
    # Neither status nor timestamps: many servers refuse to have them written.
    question.Parameters.NodesToWrite = [
        ua.WriteValue(
            NodeId=node,
            AttributeId=ua.IntegerId(ua.AttributeIds.Value),
            Value=ua.DataValue(variant(write, current), StatusCode=None),
        )
    ]
    answer = await wire.ask(question, ua.WriteResponse, f"a write of {write.subject}")
    statuses_told = [status.value for status in answer.Results]
    if len(statuses_told) != 1 or statuses.is_bad(statuses_told[0]):
        names = ", ".join(status.name for status in answer.Results) or "without a result"
        quality = statuses.quality_of(statuses_told[0]) if statuses_told else None
        raise RequestRefused(quality or Quality.DEVICE_ERROR, f"{write.where} refused {write.subject}: {names}")


async def check_value(wire: Wire, node: ua.NodeId, write: OpcUaWrite) -> None:
    """Ask for the node's type, and write nothing. Raises `RequestRefused` or `SessionError`."""
    variant(write, await _current(wire, node, write))


def variant(write: OpcUaWrite, current: ua.Variant) -> ua.Variant:
    """The value in the type of the `current` one. Raises `RequestRefused`: nothing was sent."""
    kind = current.VariantType
    try:
        if write.point.bit is not None:
            return ua.Variant(_with_bit(write, current), kind)
        made = _make(write.value, kind, write.scaling)
    except (ValueError, OverflowError, struct.error) as error:
        raise RequestRefused(
            Quality.OUT_OF_RANGE, f"{write.where} {write.subject} is of type {kind.name}: {error}"
        ) from None
    if isinstance(made, list) != bool(current.is_array):
        expected = "an array" if current.is_array else "a single value"
        raise RequestRefused(Quality.OUT_OF_RANGE, f"{write.where} {write.subject} is {expected} of {kind.name}")
    return ua.Variant(made, kind, is_array=current.is_array)


async def _current(wire: Wire, node: ua.NodeId, write: OpcUaWrite) -> ua.Variant:
    """The node's value, for its type and for the bits beside the one that is meant."""
    answer = await wire.ask(read_request([node], ua.AttributeIds.Value), ua.ReadResponse, write.subject)
    told = answer.Results[0] if len(answer.Results) == 1 else ua.DataValue()
    if told.Value is not None and told.Value.VariantType is not ua.VariantType.Null:
        return told.Value
    answer = await wire.ask(read_request([node], ua.AttributeIds.DataType), ua.ReadResponse, write.subject)
    declared = answer.Results[0].Value.Value if answer.Results and answer.Results[0].Value is not None else None
    if not isinstance(declared, ua.NodeId):
        status = told.StatusCode
        quality = statuses.quality_of(status.value) if status is not None else None
        name = status.name if status is not None else "no value"
        raise RequestRefused(quality or Quality.DEVICE_ERROR, f"{write.where} {write.subject}: {name}")
    kinds = {int(kind.value): kind for kind in _MAKERS}
    kind = kinds.get(declared.Identifier) if isinstance(declared.Identifier, int) else None
    if declared.NamespaceIndex or kind is None:
        raise RequestRefused(
            Quality.BAD_ADDRESS, f"{write.where} {write.subject} has no value yet and a type of the server's own"
        )
    return ua.Variant(_NOTHING[kind], kind, is_array=False)


def _with_bit(write: OpcUaWrite, current: ua.Variant) -> int:
    bit, kind = write.point.bit or 0, current.VariantType
    if kind is ua.VariantType.Boolean and bit == 0:
        return bool(write.value)
    if kind not in _RANGES or current.is_array:
        raise ValueError("it has no bits")
    low, high = _RANGES[kind]
    width = (high - low).bit_length()
    if bit >= width:
        raise ValueError(f"it has no bit {bit}")
    pattern: int = int(current.Value) % 2**width
    pattern = pattern | 1 << bit if write.value else pattern & ~(1 << bit)
    return pattern if pattern <= high else pattern - 2**width


def _make(value: Value, kind: ua.VariantType, scaling: Scaling) -> Any:
    if isinstance(value, list):
        return [_make(element, kind, scaling) for element in value]
    if kind in _RANGES:
        return _whole(value, kind, scaling)
    if kind in (ua.VariantType.Float, ua.VariantType.Double):
        return _real(value, kind, scaling)
    if kind not in _MAKERS:
        raise ValueError("it can not be written")
    return _MAKERS[kind](value)


def _raw(value: Scalar, scaling: Scaling) -> Fraction:
    """Reckoned back as a person would, on the decimal that is written."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{value!r} is no number")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{value} is no finite number")
    return (Fraction(str(value)) * scaling.divisor - scaling.addend) / scaling.multiplier


def _whole(value: Scalar, kind: ua.VariantType, scaling: Scaling) -> int:
    raw: int = round(_raw(value, scaling))
    low, high = _RANGES[kind]
    if not low <= raw <= high:
        raise ValueError(f"{value!r} is {raw} in it, which holds {low} to {high}")
    return raw


def _real(value: Scalar, kind: ua.VariantType, scaling: Scaling) -> float:
    raw = float(_raw(value, scaling))
    if kind is ua.VariantType.Float:
        struct.pack("<f", raw)  # OverflowError for what a single does not hold
    return raw


def _truth(value: Scalar) -> bool:
    if value not in (0, 1):
        raise ValueError(f"{value!r} is neither true nor false")
    return bool(value)


def _text(value: Scalar) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is no text")
    return value


def _date(value: Scalar) -> datetime:
    date = datetime.fromisoformat(_text(value))
    return (date.astimezone(UTC) if date.tzinfo else date).replace(tzinfo=UTC)


_RANGES = {
    kind: (-(2 ** (bits - 1)) if signed else 0, 2 ** (bits - signed) - 1)
    for kind, bits, signed in (
        (ua.VariantType.SByte, 8, True),
        (ua.VariantType.Byte, 8, False),
        (ua.VariantType.Int16, 16, True),
        (ua.VariantType.UInt16, 16, False),
        (ua.VariantType.Int32, 32, True),
        (ua.VariantType.UInt32, 32, False),
        (ua.VariantType.Int64, 64, True),
        (ua.VariantType.UInt64, 64, False),
    )
}
_MAKERS: dict[ua.VariantType, Maker] = {
    **dict.fromkeys([*_RANGES, ua.VariantType.Float, ua.VariantType.Double], float),
    ua.VariantType.Boolean: _truth,
    ua.VariantType.String: _text,
    ua.VariantType.DateTime: _date,
    ua.VariantType.Guid: lambda value: uuid.UUID(_text(value)),
    ua.VariantType.ByteString: lambda value: base64.b64decode(_text(value), validate=True),
    ua.VariantType.LocalizedText: lambda value: ua.LocalizedText(_text(value)),
}
_NOTHING: dict[ua.VariantType, object] = dict.fromkeys(_MAKERS, 0) | {
    ua.VariantType.Boolean: False,
    ua.VariantType.String: "",
    ua.VariantType.DateTime: None,
    ua.VariantType.Guid: uuid.UUID(int=0),
    ua.VariantType.ByteString: b"",
    ua.VariantType.LocalizedText: ua.LocalizedText(""),
}
