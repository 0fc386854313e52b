"""What a tag wants of a node."""

from dataclasses import dataclass
from decimal import Decimal

from protocols.base import DataType, TagSpec
from protocols.errors import Refused
from protocols.opcua.addresses import NodeAddress, parse_address
from protocols.scaling import IDENTITY, Scaling

# A server keeps back what is equal to a deadband, and reckons in binary; what moved just far enough must get through.
_SURELY_SMALLER = Decimal("0.9")


@dataclass(frozen=True, slots=True)
class Watch:
    """How a node is to be watched: sampled that often, and silent about changes up to `deadband` (raw)."""

    sampling_ms: int
    deadband: float | None = None


@dataclass(frozen=True, slots=True)
class OpcUaPoint:
    """A node and what is made of its value: scaled if it is a number, or one `bit` of it, 0 the least."""

    node: NodeAddress
    scaling: Scaling = IDENTITY
    bit: int | None = None
    watch: Watch | None = None


def place(tag: TagSpec) -> OpcUaPoint:
    """The server says what type a value has, so data type, byte order, length and encoding are not needed.

    Raises `Refused` on ``address`` or ``deadband``.
    """
    node = parse_address(tag.address)
    watch = _watch(tag) if tag.subscribe else None
    if tag.bit is not None:
        return OpcUaPoint(node, bit=tag.bit, watch=watch)
    if tag.data_type in (DataType.BOOL, DataType.STRING):
        return OpcUaPoint(node, watch=watch)
    return OpcUaPoint(node, Scaling.of(tag.scale, tag.offset), watch=watch)


def _watch(tag: TagSpec) -> Watch:
    if tag.deadband is None or tag.bit is not None:
        return Watch(tag.interval_ms)
    if not tag.deadband.is_finite() or tag.deadband < 0:
        raise Refused("deadband", f"deadband is {tag.deadband}; expected a number from 0")
    raw = abs(tag.deadband / tag.scale) if tag.scale else Decimal(0)
    return Watch(tag.interval_ms, float(raw * _SURELY_SMALLER) or None)
