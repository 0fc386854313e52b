import math
import subprocess
import sys
from decimal import Decimal
from typing import Any

import pytest

from protocols.base import DataType, Lessons, TagSpec
from protocols.errors import Refused, Unwritable
from protocols.opcua.driver import OpcUaDriver
from protocols.opcua.points import Watch
from protocols.opcua.requests import OpcUaRequest
from protocols.opcua.statuses import quality_of
from protocols.quality import Quality

DRIVER = OpcUaDriver()
CONNECTION = DRIVER.connection({"host": "plc"}, 3)


def tag(number: int = 1, data_type: DataType = DataType.FLOAT64, **more: Any) -> TagSpec:
    return TagSpec("t", f"ns=2;i={number}", data_type, **more)


def requests(*tags: TagSpec, lessons: Lessons = Lessons()) -> tuple[OpcUaRequest, ...]:  # noqa: B008
    return DRIVER.compile(CONNECTION, [DRIVER.point(each, CONNECTION) for each in tags], lessons)


def test_a_thousand_tags_are_two_requests() -> None:
    planned = requests(*map(tag, range(1000)))
    assert [len(request.tags) for request in planned] == [500, 500]
    assert planned[1].subject == "500 nodes from ns=2;i=500"


def test_watched_tags_go_apart_from_polled_ones() -> None:
    polled, watched = requests(tag(0), tag(1, subscribe=True), tag(2), tag(3, subscribe=True))
    assert (polled.tags, polled.watched) == ((0, 2), False)
    assert (watched.tags, watched.watched) == ((1, 3), True)
    assert [point.node.identifier for point in watched.points] == [1, 3]


def test_lessons_are_heeded() -> None:
    planned = requests(*map(tag, range(6)), lessons=Lessons(frozenset({1}), frozenset({4})))
    assert [request.tags for request in planned] == [(0, 2, 3), (4, 5)]


def test_a_deadband_is_in_engineering_units_and_lets_through_what_equals_it() -> None:
    spec = tag(subscribe=True, deadband=Decimal("0.5"), scale=Decimal("-0.1"), interval_ms=250)
    assert DRIVER.point(spec, CONNECTION).watch == Watch(250, 4.5)
    assert DRIVER.point(tag(subscribe=True, deadband=Decimal(0)), CONNECTION).watch == Watch(1000)
    with pytest.raises(Refused, match="deadband"):
        DRIVER.point(tag(subscribe=True, deadband=Decimal(-1)), CONNECTION)


@pytest.mark.parametrize(
    ("spec", "value", "code"),
    [
        (tag(), math.nan, "out_of_range"),
        (tag(), math.inf, "out_of_range"),
        (tag(bit=3), 2, "wrong_type"),
        (tag(bit=3), "on", "wrong_type"),
    ],
)
def test_what_no_node_holds_is_unwritable(spec: TagSpec, value: Any, code: str) -> None:
    with pytest.raises(Unwritable) as caught:
        DRIVER.encode(CONNECTION, DRIVER.point(spec, CONNECTION), value)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("status", "quality"),
    [
        (0, None),
        (0x0000_0480, None),  # good, with the info bit that a queue overflowed
        (0x4090_0000, Quality.UNCERTAIN),
        (0x8034_0000, Quality.BAD_ADDRESS),
        (0x8034_0400, Quality.BAD_ADDRESS),
        (0x8031_0000, Quality.DISCONNECTED),
        (0x8032_0000, Quality.NO_VALUE),
        (0x803C_0000, Quality.OUT_OF_RANGE),
        (0x80FF_0000, Quality.DEVICE_ERROR),
        (0xC000_0000, Quality.DEVICE_ERROR),
    ],
)
def test_statuses(status: int, quality: Quality | None) -> None:
    assert quality_of(status) is quality


def test_planning_loads_no_library() -> None:
    program = """if 1:
        import sys
        from protocols.base import DataType, TagSpec
        from protocols.registry import driver
        opcua = driver("opcua")
        connection = opcua.connection({"host": "plc"}, 3)
        opcua.compile(connection, [opcua.point(TagSpec("t", "i=1", DataType.BOOL), connection)])
        sys.exit("asyncua" in sys.modules)
    """
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
