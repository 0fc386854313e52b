"""From a server's data values to ours. The server's type wins; a value is never None without a reason."""

import base64
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, TypeAlias

from asyncua import ua

from protocols.base import Cycle, Scalar, Value
from protocols.opcua.points import OpcUaPoint
from protocols.opcua.statuses import quality_of
from protocols.quality import Quality
from protocols.scaling import Scaling, float32_scaler, float64_scaler, integer_scaler

Reader: TypeAlias = Callable[[Any], Scalar]


class Unusable(Exception):
    """A good data value of which no value of ours can be made."""

    def __init__(self, quality: Quality) -> None:
        super().__init__(str(quality))
        self.quality = quality


def fill(tags: Sequence[int], points: Sequence[OpcUaPoint], answers: Sequence[ua.DataValue], cycle: Cycle) -> None:
    """Write each tag's value, its quality or both into `cycle`."""
    for tag, point, answer in zip(tags, points, answers, strict=True):
        value, quality = read_answer(answer, point)
        cycle.values[tag] = value
        if quality is not None:
            cycle.bad[tag] = quality
            cycle.words[tag] = words_for(answer)


def read_answer(answer: ua.DataValue, point: OpcUaPoint) -> tuple[Value | None, Quality | None]:
    """A value, why there is none, or an uncertain value."""
    status = answer.StatusCode
    quality = quality_of(status.value) if status is not None and status.value else None
    if quality not in (None, Quality.UNCERTAIN):
        return None, quality
    try:
        return _value(answer.Value, point), quality
    except Unusable as flaw:
        return None, flaw.quality
    except (ValueError, OverflowError):
        return None, Quality.NOT_A_NUMBER


@dataclass(frozen=True, slots=True)
class Told:
    """All that a server says with a value: ``Double``, ``Good``, ``2026-04-17T08:00:00.123Z``."""

    value: Value | None
    quality: Quality | None
    data_type: str | None
    status: str
    source_timestamp: str | None


def read_all(answer: ua.DataValue, point: OpcUaPoint) -> Told:
    """A value and what is said with it."""
    value, quality = read_answer(answer, point)
    variant, stamp = answer.Value or ua.Variant(), answer.SourceTimestamp
    data_type = f"{variant.VariantType.name}{'[]' if variant.is_array else ''}"
    return Told(
        value,
        quality,
        None if variant.VariantType is ua.VariantType.Null else data_type,
        status_name(answer.StatusCode.value if answer.StatusCode is not None else 0),
        None if stamp is None else iso(stamp),
    )


def words_for(answer: ua.DataValue) -> str:
    """What the server itself says of a value that is not good: its status, else the type of which nothing is made."""
    code = answer.StatusCode.value if answer.StatusCode is not None else 0
    if quality_of(code) is not None:
        return status_name(code)
    return f"type {answer.Value.VariantType.name}" if answer.Value is not None else "no value"


@cache
def status_name(code: int) -> str:
    """``BadNodeIdUnknown``; a code that the specification does not know in hexadecimal."""
    name: str = ua.StatusCode(ua.UInt32(code & 0xFFFF_0000)).name
    return f"0x{code:08X}" if name.startswith("Unknown") else name


def newest(answers: Iterable[ua.DataValue], known: datetime | None) -> datetime | None:
    """The newest of the source timestamps, `known` among them."""
    for answer in answers:
        stamp = answer.SourceTimestamp
        if stamp is not None and (known is None or stamp > known):
            known = stamp
    return known


def iso(stamp: datetime) -> str:
    """``2026-04-17T08:00:00.123Z``, with microseconds where it has them."""
    precision = "microseconds" if stamp.microsecond % 1000 else "milliseconds"
    return stamp.replace(tzinfo=None).isoformat(timespec=precision) + "Z"


def _value(variant: ua.Variant | None, point: OpcUaPoint) -> Value:
    if variant is None or variant.VariantType is ua.VariantType.Null:
        raise Unusable(Quality.NO_VALUE)
    kind, raw = variant.VariantType, variant.Value
    if point.bit is not None:
        return _bit(kind, raw, point.bit)
    if kind in _INTEGERS and type(raw) is int and point.scaling.is_identity:
        return raw
    if variant.is_array:
        return _matrix(kind, raw if raw is not None else [], variant.Dimensions or (), point)
    if variant.Dimensions is not None:
        raise Unusable(Quality.DEVICE_ERROR)
    return _scalar(kind, raw, point)


def _scalar(kind: ua.VariantType, raw: Any, point: OpcUaPoint) -> Value:
    scaler = _SCALERS.get(kind)
    if scaler is not None:
        return scaler(point.scaling)((raw,))[0]
    if kind is ua.VariantType.Variant:
        return _value(raw, point)
    return _reader(kind)(raw)


def _matrix(kind: ua.VariantType, raws: Sequence[Any], dimensions: Sequence[int], point: OpcUaPoint) -> list[Value]:
    """An array, or a matrix as nested ones. The library fills up what the dimensions promise and nobody sent."""
    if not dimensions:
        return _elements(kind, raws, point)
    if len(raws) != dimensions[0]:
        raise Unusable(Quality.DEVICE_ERROR)
    if len(dimensions) > 1:
        return [_matrix(kind, row, dimensions[1:], point) for row in raws]
    if any(isinstance(raw, list) for raw in raws):
        raise Unusable(Quality.DEVICE_ERROR)
    return _elements(kind, raws, point)


def _elements(kind: ua.VariantType, raws: Sequence[Any], point: OpcUaPoint) -> list[Value]:
    scaler = _SCALERS.get(kind)
    if scaler is not None:
        return [*scaler(point.scaling)(raws)]
    if kind is ua.VariantType.Variant:
        return [_value(raw, point) for raw in raws]
    read = _reader(kind)
    return [read(raw) for raw in raws]


def _bit(kind: ua.VariantType, raw: Any, bit: int) -> bool:
    if kind is ua.VariantType.Boolean and bit == 0:
        return bool(raw)
    if kind not in _INTEGERS or not isinstance(raw, int):
        raise Unusable(Quality.BAD_ADDRESS)
    return bool(raw >> bit & 1)


def _reader(kind: ua.VariantType) -> Reader:
    try:
        return _READERS[kind]
    except KeyError:  # a structure: its parts are nodes of their own, or none
        raise Unusable(Quality.BAD_ADDRESS) from None


def _text(raw: str | None) -> str:
    """A null text is an empty one, as servers of PLCs mean it."""
    text = raw or ""
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise Unusable(Quality.BAD_ENCODING) from None
    return text


def _date(raw: datetime | None) -> str:
    if raw is None:
        raise Unusable(Quality.NO_VALUE)
    return iso(raw)


def _bytes(raw: bytes | None) -> str:
    return base64.b64encode(raw or b"").decode("ascii")


def _localised(raw: ua.LocalizedText | None) -> str:
    return _text(raw.Text if raw is not None else None)


def _qualified(raw: ua.QualifiedName | None) -> str:
    return _text(raw.Name if raw is not None else None)


def _node(raw: ua.NodeId | None) -> str:
    return _text(raw.to_string() if raw is not None else None)


def _xml(raw: Any) -> str:
    return _text(getattr(raw, "Value", raw))


_INTEGERS = frozenset(
    {
        ua.VariantType.SByte,
        ua.VariantType.Byte,
        ua.VariantType.Int16,
        ua.VariantType.UInt16,
        ua.VariantType.Int32,
        ua.VariantType.UInt32,
        ua.VariantType.Int64,
        ua.VariantType.UInt64,
    }
)
_SCALERS: dict[ua.VariantType, Callable[[Scaling], Callable[[Any], Sequence[int | float]]]] = {
    **dict.fromkeys(_INTEGERS, integer_scaler),
    ua.VariantType.Float: float32_scaler,
    ua.VariantType.Double: float64_scaler,
}
_READERS: dict[ua.VariantType, Reader] = {
    ua.VariantType.Boolean: bool,
    ua.VariantType.String: _text,
    ua.VariantType.XmlElement: _xml,
    ua.VariantType.LocalizedText: _localised,
    ua.VariantType.QualifiedName: _qualified,
    ua.VariantType.DateTime: _date,
    ua.VariantType.Guid: str,
    ua.VariantType.ByteString: _bytes,
    ua.VariantType.NodeId: _node,
    ua.VariantType.ExpandedNodeId: _node,
    ua.VariantType.StatusCode: lambda raw: int(raw.value),
}
