import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.base import DataType, Driver, Lessons, TagSpec
from protocols.s7.connection import S7Connection
from protocols.s7.driver import S7Driver
from protocols.s7.frames import Item
from protocols.s7.points import S7Point
from protocols.s7.requests import MOST_ITEMS, Message, S7Request, pack, payload
from protocols.s7.writes import S7Write

DRIVER = S7Driver()
AREAS = ("DB1.DBB", "DB2.DBB", "MB", "T", "C")
PDUS = (112, 240, 480, 960)


def connection(pdu: int = 480) -> S7Connection:
    return DRIVER.connection({"host": "10.0.0.7", "pdu": pdu}, 3)


def requests(tags: list[TagSpec], pdu: int = 480, lessons: Lessons | None = None) -> tuple[S7Request, ...]:
    points = [DRIVER.point(tag, connection()) for tag in tags]
    return DRIVER.compile(connection(pdu), points, lessons or Lessons())


def words(*places: int) -> list[TagSpec]:
    return [TagSpec("t", f"DB1.DBW{at}", DataType.UINT16) for at in places]


def check_fits(message: Message, pdu: int) -> None:
    items = [item for _, item in message.pieces]
    assert len(items) <= MOST_ITEMS
    assert 12 + 12 * len(items) <= pdu
    assert 14 + sum(4 + item.byte_count + item.byte_count % 2 for item in items) <= pdu
    assert len(message.parameters) == 2 + 12 * len(items)


def test_it_is_a_driver() -> None:
    typed: Driver[S7Connection, S7Point, S7Request, S7Write] = DRIVER
    assert (typed.protocol, typed.default_port) == ("s7", 102)


@pytest.mark.parametrize(("pdu", "count"), [(240, 10), (480, 5), (960, 3)])
def test_a_thousand_words_are_few_requests(pdu: int, count: int) -> None:
    asked = requests(words(*range(0, 2000, 2)), pdu)
    assert len(asked) == count
    assert asked[0].subject == f"DB1.DBB0-{payload(pdu) - 1} of rack 0 slot 1"
    for request in asked:
        (message,) = request.messages
        check_fits(message, pdu)


def test_the_question_as_it_goes_out() -> None:
    (request,) = requests([*words(4), TagSpec("t", "T5", DataType.S5TIME), TagSpec("b", "M3.1", DataType.BOOL)])
    assert request.messages[0].parameters == bytes.fromhex(
        "0403120a10020002000184000020120a101d000100001d000005120a10020001000083000018"
    )


def test_small_gaps_are_bridged_and_large_ones_share_a_message() -> None:
    (request,) = requests(words(0, 20, 100, 400))
    assert [part.item for part in request.parts] == [
        Item(request.parts[0].item.area, 1, 0, 22),
        Item(request.parts[0].item.area, 1, 100, 2),
        Item(request.parts[0].item.area, 1, 400, 2),
    ]
    assert request.asked == "DB1.DBB0-21 and 2 more"


def test_twenty_items_a_message() -> None:
    assert [len(request.parts) for request in requests(words(*range(0, 4100, 100)))] == [20, 20, 1]


def test_what_is_to_be_avoided_is_in_no_request() -> None:
    asked = requests(words(0, 2, 4, 6), lessons=Lessons(avoid=frozenset({1}), breaks=frozenset({3})))
    assert sorted(tag for request in asked for tag in request.tags) == [0, 2, 3]
    ranges = [range(part.item.start, part.item.start + part.item.size) for each in asked for part in each.parts]
    assert ranges == [range(2), range(4, 6), range(6, 8)]


def test_a_text_larger_than_a_message_takes_several() -> None:
    tag = TagSpec("t", "DB1.STRING10.254", DataType.STRING)
    large, small = requests([tag, *words(0)], 240)[::-1]
    assert (large.tags, small.tags) == ((0,), (1,))
    assert [piece for message in large.messages for _, piece in message.pieces] == [
        Item(large.parts[0].item.area, 1, 10, 222),
        Item(large.parts[0].item.area, 1, 232, 34),
    ]
    assert requests([tag], 240, Lessons(avoid=frozenset({0}))) == ()


def test_a_request_can_be_asked_in_smaller_messages() -> None:
    (request,) = requests(words(*range(0, 400, 2)))
    assert request.messages_for(480) is request.messages
    smaller = request.messages_for(240)
    assert len(smaller) == 2
    for message in smaller:
        check_fits(message, 240)


@given(
    st.lists(
        st.tuples(st.sampled_from(["DB1.DBB", "DB2.DBB", "MB", "T", "C"]), st.integers(0, 3000), st.integers(1, 300))
    ),
    st.sampled_from(PDUS),
)
def test_any_tags_are_each_in_one_request_that_fits(drawn: list[tuple[str, int, int]], pdu: int) -> None:
    tags = [
        TagSpec("t", f"{area}{at}", DataType.UINT8 if "B" in area else DataType.INT16, length=size)
        for area, at, size in drawn
    ]
    asked = requests(tags, pdu)
    assert sorted(tag for request in asked for tag in request.tags) == list(range(len(tags)))
    for request in asked:
        assert len(request.messages) == 1 or len(request.parts) == 1
        for message in request.messages:
            check_fits(message, pdu)
        covered = {
            (position, at)
            for message in request.messages
            for position, item in message.pieces
            for at in range(item.start, item.start + item.size)
        }
        assert covered == {
            (position, at)
            for position, part in enumerate(request.parts)
            for at in range(part.item.start, part.item.start + part.item.size)
        }


def test_nothing_is_packed_into_nothing() -> None:
    assert pack([], 480) == ()
