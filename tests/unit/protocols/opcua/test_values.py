"""Corners of values that no honest server is likely to send."""

from datetime import UTC, datetime
from typing import Any

import pytest
from asyncua import ua

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
