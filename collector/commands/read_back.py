"""Whether a device holds what was written to it. Pure."""

import struct
from datetime import UTC, datetime

from collector.commands.quantities import exact, to_raw
from collector.commands.write_rules import TYPED_BY_DEVICE, WriteOrder
from collector.config.plan import DevicePlan
from protocols.base import PlcDriver, TagSpec, Value
from protocols.errors import Unwritable
from protocols.shortest import shortest_float32s

_SINGLE = struct.Struct("<f")


def holds(driver: PlcDriver, plan: DevicePlan, order: WriteOrder, raw: Value | None) -> bool:
    """Whether a tag that reads `raw` holds what was ordered, bit by bit.

    It does if writing what was read would send the same bytes. A device that says its types itself is sent values,
    not bytes: there the value that was read tells the type.
    """
    if raw is None:
        return False
    if plan.protocol in TYPED_BY_DEVICE:
        return _equals(order.value, raw, order.spec)
    try:
        return driver.encode(plan.connection, order.raw_point, raw) == order.write
    except Unwritable:
        return False


def _equals(value: Value, raw: Value, spec: TagSpec) -> bool:
    if isinstance(raw, list) and isinstance(value, list):
        return len(value) == len(raw) and all(_equals(each, held, spec) for each, held in zip(value, raw, strict=True))
    if isinstance(raw, bool):
        return value in (0, 1) and bool(value) is raw
    if isinstance(raw, int | float) and isinstance(value, int | float):
        wanted = to_raw(exact(value), spec)
        return round(wanted) == raw if isinstance(raw, int) else raw in (float(wanted), *_as_single(float(wanted)))
    if isinstance(raw, str) and isinstance(value, str):
        return value == raw or _is_same_moment(value, raw)
    return False


def _as_single(number: float) -> tuple[float, ...]:
    """The number as a device shows it that holds 32 bits of it; none where it is too large for them."""
    try:
        return tuple(shortest_float32s(_SINGLE.unpack(_SINGLE.pack(number))))
    except OverflowError:
        return ()


def _is_same_moment(one: str, other: str) -> bool:
    try:
        return _moment(one) == _moment(other)
    except ValueError:
        return False


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
