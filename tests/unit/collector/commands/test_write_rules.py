"""Bounds, steps, labels and rounding: what is refused, what is sent, and when a device holds it."""

import json
import math
import struct
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, example, given, reject, settings
from hypothesis import strategies as st

from collector.commands.quantities import exact, rounded, to_raw
from collector.commands.read_back import holds
from collector.commands.write_rules import WriteOrder, check_present, order_for
from collector.config.plan import DevicePlan
from collector.config.planner import PlanOptions, plan_document
from collector.polling.desk import Found
from fleet_client.reading import read_document
from protocols import registry
from protocols.base import DataType, PlcDriver, TagSpec, Value
from protocols.quality import Quality
from protocols.scaling import Scaling, float32_scaler, float64_scaler, integer_scaler
from protocols.shortest import shortest_float32s
from tests.doubles.command_desk import failure_of

ADDRESSES = {"modbus_tcp": "HR10", "s7": "DB1.DBW20", "xgt": "D10", "opcua": "ns=2;i=10"}
MEMORY = tuple(protocol for protocol in ADDRESSES if protocol != "opcua")
ORDERS = ("ABCD", "DCBA", "BADC", "CDAB", "BIG_ENDIAN")
RANGES = {
    "INT8": (-128, 127), "UINT8": (0, 255), "INT16": (-(2**15), 2**15 - 1), "UINT16": (0, 2**16 - 1),
    "INT32": (-(2**31), 2**31 - 1), "UINT32": (0, 2**32 - 1), "INT64": (-(2**63), 2**63 - 1),
    "UINT64": (0, 2**64 - 1), "BCD16": (0, 9_999), "BCD32": (0, 99_999_999),
}  # fmt: skip
SCALES = st.sampled_from(["1", "0.1", "0.01", "0.001", "10", "-0.5", "0.3", "2.54", "1e-6"]).map(Decimal)
OFFSETS = st.sampled_from(["0", "-40", "273.15", "0.05", "-1000000"]).map(Decimal)


def planned(protocol: str = "modbus_tcp", **fields: object) -> tuple[PlcDriver, DevicePlan]:
    """A device with one tag `t`."""
    tag = {"name": "t", "address": ADDRESSES[protocol], "data_type": "UINT16", "writable": True, **fields}
    connection = {"host": "127.0.0.1", "family": "xgk"}
    device = {"id": "1", "protocol": protocol, "connection": connection, "tags": [tag]}
    read = read_document(json.dumps({"devices": [device]}).encode(), expected_edge_ids=None)
    plan = plan_document(read, PlanOptions("edge-1"))
    assert plan.problems == ()
    return registry.driver(protocol), plan.devices[0]


def ordered(value: Value, protocol: str = "modbus_tcp", **fields: object) -> tuple[PlcDriver, DevicePlan, WriteOrder]:
    """The order to write `t`."""
    driver, plan = planned(protocol, **fields)
    return driver, plan, order_for(driver, plan, "t", value)


def code_of(
    value: Value, present: Value | None = None, *, protocol: str = "modbus_tcp", **fields: object
) -> str | None:
    """Why it is refused; `present` is the raw value that the device holds."""

    def judge() -> None:
        _, plan, order = ordered(value, protocol, **fields)
        if present is not None:
            check_present(order, plan, Found(present, present))

    failure = failure_of(judge)
    return failure.code if failure else None


@settings(deadline=None)
@given(data=st.data(), protocol=st.sampled_from(MEMORY), order=st.sampled_from(ORDERS), scale=SCALES, offset=OFFSETS)
def test_every_raw_whole_number_is_undone_exactly(
    data: st.DataObject, protocol: str, order: str, scale: Decimal, offset: Decimal
) -> None:
    data_type = data.draw(st.sampled_from(sorted(RANGES)))
    raw = data.draw(st.integers(*RANGES[data_type]))
    try:
        (value,) = integer_scaler(Scaling.of(scale, offset))([raw])
    except OverflowError:
        reject()  # beyond 64 bits there is no value to undo
    assume(round(to_raw(exact(value), spec_of(scale, offset))) == raw)  # a double holds 64 bits only up to a point
    fields = {"data_type": data_type, "byte_order": order, "scale": str(scale), "offset": str(offset)}
    driver, plan, write = ordered(value, protocol, **fields)
    assert holds(driver, plan, write, raw)
    other = data.draw(st.integers(*RANGES[data_type]).filter(lambda each: each != raw))
    assert not holds(driver, plan, write, other)


@settings(deadline=None)
@given(
    protocol=st.sampled_from(MEMORY),
    raw=st.floats(width=32, allow_nan=False, allow_infinity=False),
    scale=SCALES,
    offset=OFFSETS,
)
def test_every_raw_single_is_undone_exactly(protocol: str, raw: float, scale: Decimal, offset: Decimal) -> None:
    fields = {"data_type": "FLOAT32", "scale": str(scale), "offset": str(offset)}
    (value,) = float32_scaler(Scaling.of(scale, offset))([raw])
    wanted = float(to_raw(exact(value), spec_of(scale, offset)))
    assume(abs(wanted) < 3.4e38 and struct.unpack("<f", struct.pack("<f", wanted))[0] == raw)
    driver, plan, write = ordered(value, protocol, **fields)
    (shown,) = shortest_float32s([raw])
    assert holds(driver, plan, write, shown) or shown == 0  # of the two zeros a fraction knows one
    assert not holds(driver, plan, write, math.nextafter(raw, math.inf) + 1 if abs(raw) < 1e6 else 0.0)


@settings(deadline=None)
@given(raw=st.floats(-1e12, 1e12), scale=SCALES, offset=OFFSETS)
def test_every_raw_double_is_undone_to_what_it_was_scaled_from(raw: float, scale: Decimal, offset: Decimal) -> None:
    (value,) = float64_scaler(Scaling.of(scale, offset))([raw])
    fields = {"data_type": "FLOAT64", "scale": str(scale), "offset": str(offset)}
    driver, plan, write = ordered(value, "s7", **fields)
    wanted = float(to_raw(exact(value), spec_of(scale, offset)))
    assert holds(driver, plan, write, wanted) or wanted == 0  # of the two zeros a fraction knows one


@settings(deadline=None)
@given(
    value=st.decimals(-1000, 1000, places=3).map(float),
    low=st.decimals(-500, 0, places=2),
    high=st.decimals(0, 500, places=2),
    scale=st.sampled_from(["0.1", "0.5", "1", "7"]),
)
@example(value=11.0, low=Decimal(-5), high=Decimal(12), scale="7")  # inside, and 14 once it is rounded
def test_s7_what_is_sent_is_never_out_of_range(value: float, low: Decimal, high: Decimal, scale: str) -> None:
    limits = {"write_min": str(low), "write_max": str(high), "scale": scale, "data_type": "INT16"}
    asked = Fraction(str(value))
    sent = rounded(asked, spec_of(Decimal(scale), Decimal(0)))
    inside = all(low <= number <= high for number in (asked, sent))
    assert code_of(value, **limits) == (None if inside else "out_of_range")


@settings(deadline=None)
@given(
    held=st.integers(0, 1000), value=st.decimals(0, 100, places=2).map(float), step=st.decimals("0.01", 50, places=2)
)
def test_s7_no_step_is_further_than_allowed(held: int, value: float, step: Decimal) -> None:
    asked, now = Fraction(str(value)), Fraction(held, 10)
    sent = rounded(asked, spec_of(Decimal("0.1"), Decimal(0)))
    inside = max(abs(asked - now), abs(sent - now)) <= step
    code = code_of(value, held, scale="0.1", write_max_step=str(step))
    assert code == (None if inside else "out_of_range")


def test_a_tie_goes_to_the_even_raw_number() -> None:
    for value, raw in ((0.25, 2), (0.35, 4), (-0.25, -2), (0.15, 2)):
        driver, plan, order = ordered(value, data_type="INT16", scale=0.1)
        assert holds(driver, plan, order, raw)


def test_a_label_stands_for_the_one_value_that_it_names() -> None:
    value_map = {"0": "STOP", "1": "AUTO", "2": "수동", "3": "AUTO"}
    driver, plan, order = ordered("수동", value_map=value_map)
    assert (order.value, holds(driver, plan, order, 2)) == (2, True)
    assert code_of("AUTO", value_map=value_map) == "wrong_type"
    assert code_of("RUN", value_map=value_map) == "wrong_type"
    _, _, order = ordered("ON", data_type="BOOL", value_map={"true": "ON", "false": "OFF"})
    assert order.value is True


def test_text_is_written_in_its_encoding_and_padding_does_not_count() -> None:
    fields: dict[str, Any] = {"data_type": "STRING", "length": 12, "encoding": "cp949"}
    for protocol in ("modbus_tcp", "xgt"):
        driver, plan, order = ordered("프레스 1  ", protocol, **fields)
        assert holds(driver, plan, order, "프레스 1")
        assert not holds(driver, plan, order, "프레스 2")
    assert code_of("가나다라마바사", **fields) == "out_of_range"
    assert code_of(5, **fields) == "wrong_type"


def test_arrays_are_checked_element_by_element() -> None:
    driver, plan, order = ordered([1, 2, 3], length=3, write_max=3)
    assert holds(driver, plan, order, [1, 2, 3])
    assert not holds(driver, plan, order, [1, 2, 4])
    assert code_of([1, 2, 4], length=3, write_max=3) == "out_of_range"
    assert code_of([1, 2], length=3) == "wrong_type"
    assert code_of([5, 5, 5], [5, 5, 1], length=3, write_max_step=3) == "out_of_range"


def test_a_bit_of_a_word_is_a_truth() -> None:
    driver, plan, order = ordered(1, "xgt", address="D10.5", data_type="BOOL")
    assert holds(driver, plan, order, True)
    assert not holds(driver, plan, order, False)
    assert code_of(2, data_type="BOOL", bit=5) == "wrong_type"


def test_limits_want_numbers() -> None:
    assert code_of("text", data_type="STRING", length=8, write_max=5) == "wrong_type"


@pytest.mark.parametrize(
    ("quality", "step", "expected"),
    [
        (Quality.NOT_A_NUMBER, None, None),
        (Quality.NOT_A_NUMBER, 1, ("rejected", "out_of_range")),
        (Quality.BAD_ADDRESS, None, ("error", "device_error")),
    ],
)
def test_a_value_that_can_not_be_read_now(quality: Quality, step: int | None, expected: tuple[str, str] | None) -> None:
    _, plan, order = ordered(1.0, data_type="FLOAT32", write_max_step=step)
    failure = failure_of(lambda: check_present(order, plan, Found(None, None, quality)))
    assert (None if failure is None else (failure.status, failure.code)) == expected


@pytest.mark.parametrize(
    ("value", "held", "code"),
    [
        (1, 5, None), (1, 5.0, None), (1.5, 5, None), (True, False, None), (1, True, None), ("a", "b", None),
        ([1, 2], [3, 4], None), ("1", 5, "wrong_type"), (True, 5, "wrong_type"), (1, "b", "wrong_type"),
        (2, True, "wrong_type"), ([1], 5, "wrong_type"), (1, [5], "wrong_type"),
    ],
)  # fmt: skip
def test_a_server_that_says_its_types_itself_is_believed(value: Value, held: Value, code: str | None) -> None:
    assert code_of(value, held, protocol="opcua", data_type=None) == code


@pytest.mark.parametrize(
    ("value", "raw", "same"),
    [
        (42.55, 426, True), (42.55, 425, False), (42.5, 425.0, True), (0.1, 1, True), (0.3, 3.0, True),
        (2.5e-9, 2.5e-8, True), (16_777_217 / 10, 16777216.0, True), (1.0, "10", False), (1.0, None, False),
    ],
)  # fmt: skip
def test_what_a_server_holds_is_compared_in_its_own_type(value: Value, raw: Value | None, same: bool) -> None:
    driver, plan, order = ordered(value, "opcua", data_type=None, scale=0.1)
    assert holds(driver, plan, order, raw) is same


def test_dates_are_the_same_moment_however_they_are_written() -> None:
    driver, plan, order = ordered("2026-04-17T10:00:00+02:00", "opcua", data_type=None)
    assert holds(driver, plan, order, "2026-04-17T08:00:00.000Z")
    assert not holds(driver, plan, order, "2026-04-17T08:00:01.000Z")
    driver, plan, order = ordered("2026-04-17T08:00", "s7", data_type="DATE_AND_TIME")
    assert holds(driver, plan, order, "2026-04-17T08:00:00.000")


def spec_of(scale: Decimal, offset: Decimal) -> TagSpec:
    """A tag with this scale."""
    return TagSpec("t", "HR10", DataType.INT16, scale=scale, offset=offset)
