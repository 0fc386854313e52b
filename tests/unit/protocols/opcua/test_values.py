"""Corners of values that no honest server is likely to send."""

from datetime import UTC, datetime
from typing import Any

import pytest
from asyncua import ua
from asyncua.ua.uaerrors import UaError

from protocols.base import Value
from protocols.opcua.addresses import NodeAddress
from protocols.opcua.points import OpcUaPoint
from protocols.opcua.values import read_answer
from protocols.quality import Quality

POINT = OpcUaPoint(NodeAddress(2, 1))
MATRIX: Any = [[1.5, float("inf")], [0.0, 1.0]]


@pytest.mark.parametrize(
    ("value", "kind", "expected", "quality"),
    [
        (None, "Null", None, Quality.NO_VALUE),
        (float("nan"), "Double", None, Quality.NOT_A_NUMBER),
        (float("-inf"), "Float", None, Quality.NOT_A_NUMBER),
        (MATRIX, "Double", None, Quality.NOT_A_NUMBER),
        (-0.0, "Double", -0.0, None),
        (5e-324, "Double", 5e-324, None),
        ("\udcff", "String", None, Quality.BAD_ENCODING),
        (None, "ByteString", "", None),
        (None, "DateTime", None, Quality.NO_VALUE),
        (datetime(1601, 1, 1, tzinfo=UTC), "DateTime", "1601-01-01T00:00:00.000Z", None),
        (datetime(2026, 1, 1, 0, 0, 0, 1, tzinfo=UTC), "DateTime", "2026-01-01T00:00:00.000001Z", None),
        (ua.QualifiedName(ua.String("이름"), ua.UInt16(2)), "QualifiedName", "이름", None),
        (ua.NodeId(ua.Int32(5), ua.Int16(2)), "NodeId", "ns=2;i=5", None),
        (ua.ServerStatusDataType(), "ExtensionObject", None, Quality.BAD_ADDRESS),
        ([ua.Variant(1, ua.VariantType.Int16), ua.Variant("a")], "Variant", [1, "a"], None),
    ],
)
def test_corners(value: Any, kind: str, expected: Value | None, quality: Quality | None) -> None:
    answer = ua.DataValue(ua.Variant(value, ua.VariantType[kind]))
    assert read_answer(answer, POINT) == (expected, quality)


def test_no_status_is_good_and_a_bad_one_beats_its_value() -> None:
    assert read_answer(ua.DataValue(ua.Variant(5, ua.VariantType.Int16), StatusCode=None), POINT) == (5, None)
    bad = ua.StatusCode(ua.UInt32(ua.StatusCodes.BadOutOfService))
    told = ua.DataValue(ua.Variant(5, ua.VariantType.Int16), StatusCode=bad)
    assert read_answer(told, POINT) == (None, Quality.DEVICE_ERROR)


def test_a_bit_is_one_of_a_whole_number() -> None:
    point = OpcUaPoint(NodeAddress(2, 1), bit=15)
    assert read_answer(ua.DataValue(ua.Variant(-32768, ua.VariantType.Int16)), point) == (True, None)
    assert read_answer(ua.DataValue(ua.Variant(1.5, ua.VariantType.Double)), point) == (None, Quality.BAD_ADDRESS)


def wire_value(encoded: str) -> ua.DataValue:
    """What the library makes of a value's bytes."""
    from asyncua.common.utils import Buffer
    from asyncua.ua.ua_binary import from_binary

    import protocols.opcua.wire  # noqa: F401 - it puts the library right

    value: ua.DataValue = from_binary(ua.DataValue, Buffer(b"\1" + bytes.fromhex(encoded)))
    return value


@pytest.mark.parametrize(
    "encoded",
    [
        "c6 02000000 01000000 02000000  02000000 02000000 02000000",  # two numbers, said to be 2 x 2
        "c6 02000000 01000000 02000000  01000000 01000000",  # two numbers, said to be one
        "4c 01000000 61  01000000 01000000",  # a single text with dimensions
        "cc 01000000 01000000 61  02000000 01000000 02000000",  # a text, said to be two
    ],
)
def test_p4_dimensions_that_contradict_the_value_give_none(encoded: str) -> None:
    try:
        answer = wire_value(encoded)
    except (UaError, AttributeError, TypeError):  # the session takes whatever the library trips over for what it is
        return
    assert read_answer(answer, POINT) == (None, Quality.DEVICE_ERROR)


@pytest.mark.parametrize(
    "encoded", ["80 c0c62d00", "80 ffffff7f", "8c ffffff7f fcffffff", "8f ffffff7f fcffffff", "0c feffffff"]
)
def test_p4_a_length_that_no_message_can_hold_is_refused_at_once(encoded: str) -> None:
    with pytest.raises(UaError, match=r"times nothing|bytes"):
        wire_value(encoded)
