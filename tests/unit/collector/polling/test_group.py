"""One bad address costs itself and nothing else, whatever block it hides in."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.polling.group import RETRY_SET_ASIDE_S, GroupReader
from protocols.base import Connection, Cycle, Request
from protocols.errors import RequestRefused, SessionLost
from protocols.quality import Quality
from tests.doubles.driver import (
    ScriptedConnection,
    ScriptedDevice,
    ScriptedDriver,
    ScriptedRequest,
    ScriptedSession,
)
from tests.doubles.plans import device_plan


def reader_of(addresses: list[int], max_gap: int = 0) -> tuple[GroupReader, ScriptedSession, ScriptedDevice]:
    driver = ScriptedDriver(max_gap)
    plan = device_plan(driver, addresses)
    device = ScriptedDevice()
    return GroupReader(driver.erased, plan, plan.groups[0]), ScriptedSession(device), device


async def cycle_of(reader: GroupReader, session: ScriptedSession, count: int, now: float = 0.0) -> Cycle:
    cycle = Cycle([None] * count)
    await reader.read(session.erased, cycle, now)
    return cycle


async def test_all_good_is_one_request() -> None:
    reader, session, device = reader_of(list(range(100)))
    cycle = await cycle_of(reader, session, 100)
    assert cycle.values == list(range(100))
    assert len(device.reads) == 1


async def test_a_bad_address_is_found_and_costs_only_itself() -> None:
    reader, session, device = reader_of(list(range(125)))
    device.unreadable = {77}
    first = await cycle_of(reader, session, 125)
    assert first.bad == {77: Quality.BAD_ADDRESS}
    assert [value for value in first.values if value is not None] == [n for n in range(125) if n != 77]
    assert len(device.reads) <= 1 + 2 * 7
    assert reader.last_refusal is None, "the refusal of the tag says more than that of the block"

    device.reads.clear()
    second = await cycle_of(reader, session, 125, now=1.0)
    assert second.bad == {77: Quality.BAD_ADDRESS}
    assert second.values == [None if n == 77 else n for n in range(125)]
    assert [(read.first, read.last) for read in device.reads] == [(0, 76), (78, 124)]


@settings(max_examples=60, deadline=None)
@given(bad=st.sets(st.integers(0, 59), max_size=60), max_gap=st.integers(0, 3), step=st.integers(1, 3))
async def test_any_set_of_bad_addresses_is_set_aside_exactly(bad: set[int], max_gap: int, step: int) -> None:
    addresses = list(range(0, 60, step))
    reader, session, device = reader_of(addresses, max_gap)
    device.unreadable = bad
    for now in range(8):
        cycle = await cycle_of(reader, session, len(addresses), float(now))
    guilty = {position for position, address in enumerate(addresses) if address in bad}
    assert set(cycle.bad) == guilty
    assert cycle.values == [None if p in guilty else address for p, address in enumerate(addresses)]


async def test_a_gap_that_can_not_be_read_is_not_read_again() -> None:
    reader, session, device = reader_of([0, 1, 2, 5, 6, 7], max_gap=4)
    device.unreadable = {3}
    assert (await cycle_of(reader, session, 6)).values == [0, 1, 2, 5, 6, 7]
    device.reads.clear()
    assert (await cycle_of(reader, session, 6)).values == [0, 1, 2, 5, 6, 7]
    assert [(read.first, read.last) for read in device.reads] == [(0, 2), (5, 7)]
    assert not reader.set_aside


async def test_a_gap_is_no_reason_for_what_another_tag_lacks() -> None:
    reader, session, device = reader_of([0, 1, 2, 5, 6, 7, 20], max_gap=4)
    device.unreadable = {3, 20}
    assert (await cycle_of(reader, session, 7)).bad == {6: Quality.BAD_ADDRESS}
    assert reader.last_refusal is None
    assert list(reader.set_aside) == [6]


async def test_as_few_breaks_are_learned_as_there_are_gaps() -> None:
    addresses = [*range(11), *range(12, 24), *range(30, 49), 60, 61]
    reader, session, device = reader_of(addresses, max_gap=32)
    device.unreadable = set(range(62)) - set(addresses)
    for _ in range(3):
        assert (await cycle_of(reader, session, len(addresses))).values == addresses
    device.reads.clear()
    await cycle_of(reader, session, len(addresses))
    assert [(read.first, read.last) for read in device.reads] == [(0, 10), (12, 23), (30, 48), (60, 61)]


async def test_a_device_that_allows_less_at_once_is_asked_for_less() -> None:
    reader, session, device = reader_of(list(range(100)))
    device.most_at_once = 30
    for _ in range(2):
        assert (await cycle_of(reader, session, 100)).values == list(range(100))
    device.reads.clear()
    assert (await cycle_of(reader, session, 100)).values == list(range(100))
    assert len(device.reads) == 4


async def test_a_tag_set_aside_is_asked_again_slowly_and_comes_back() -> None:
    reader, session, device = reader_of(list(range(10)))
    device.unreadable = {4}
    await cycle_of(reader, session, 10)
    device.reads.clear()
    await cycle_of(reader, session, 10, now=RETRY_SET_ASIDE_S - 1)
    assert all(4 not in read.addresses for read in device.reads)

    device.unreadable = set()
    healed = await cycle_of(reader, session, 10, now=RETRY_SET_ASIDE_S + 1)
    assert healed.values[4] == 4
    assert not healed.bad
    device.reads.clear()
    await cycle_of(reader, session, 10, now=RETRY_SET_ASIDE_S + 2)
    assert len(device.reads) == 1


async def test_a_function_the_device_does_not_know_is_not_halved() -> None:
    reader, session, device = reader_of(list(range(50)))
    device.unreadable, device.refusal = (
        {0},
        RequestRefused(Quality.BAD_ADDRESS, "no such function", whole=True),
    )
    cycle = await cycle_of(reader, session, 50)
    assert len(device.reads) == 1
    assert set(cycle.bad.values()) == {Quality.BAD_ADDRESS}
    device.reads.clear()
    await cycle_of(reader, session, 50, now=1.0)
    assert not device.reads


async def test_a_busy_device_blames_no_address() -> None:
    reader, session, device = reader_of(list(range(50)))
    device.unreadable, device.refusal = {0}, RequestRefused(Quality.DEVICE_ERROR, "busy")
    assert len((await cycle_of(reader, session, 50)).bad) == 50
    assert reader.last_refusal == "busy"
    device.unreadable = set()
    device.reads.clear()
    assert not (await cycle_of(reader, session, 50, now=1.0)).bad
    assert len(device.reads) == 1


async def test_a_device_that_fails_everywhere_is_ill_and_keeps_its_addresses() -> None:
    reader, session, device = reader_of(list(range(16)))
    device.unreadable = set(range(16))
    device.refusal = RequestRefused(Quality.DEVICE_ERROR, "server device failure", isolate=True)
    assert len((await cycle_of(reader, session, 16)).bad) == 16
    device.reads.clear()
    await cycle_of(reader, session, 16, now=1.0)
    assert len(device.reads) == 1, "an ill device is not searched every cycle"
    device.unreadable = set()
    assert not (await cycle_of(reader, session, 16, now=2.0)).bad


async def test_a_session_that_forgets_its_deadline_is_lost() -> None:
    reader, session, device = reader_of([0, 2, 4])
    device.answer_s = 4.0
    assert (await cycle_of(reader, session, 3)).values == [0, 2, 4], "slow is not stuck: the limit is a request's own"
    device.answer_s = 3600.0
    with pytest.raises(SessionLost, match=r"plc unit 1 hung at addresses 0-0 for 9 s"):
        await cycle_of(reader, session, 3)


class _AsksAhead(ScriptedSession):
    """Four answers are waited for by one read."""

    def announce(self, connection: Connection, requests: Sequence[Request]) -> int:
        return 4


async def test_who_asks_four_at_once_has_the_time_of_four_answers() -> None:
    reader, _, device = reader_of([0, 2, 4, 6])
    device.answer_s = 4 * 2.9
    assert (await cycle_of(reader, _AsksAhead(device), 4)).values == [0, 2, 4, 6]
    device.answer_s = 3600.0
    with pytest.raises(SessionLost, match=r"hung at addresses 0-0 for 18 s"):
        await cycle_of(reader, _AsksAhead(device), 4)


async def test_isolation_has_a_bound_a_cycle() -> None:
    reader, session, device = reader_of(list(range(1000)))
    device.unreadable = set(range(0, 1000, 2))
    await cycle_of(reader, session, 1000)
    assert len(device.reads) <= 65


class _Particular(ScriptedSession):
    """Says which tags it refuses, reads the others, and grants what it is told to."""

    limit = 3.0

    async def read(self, request: ScriptedRequest, cycle: Cycle) -> None:
        await super().read(replace(request, first=-1, last=-1), cycle)
        refused = tuple(t for t, a in zip(request.tags, request.addresses, strict=True) if a in self._device.unreadable)
        for tag in refused:
            cycle.values[tag], cycle.bad[tag] = None, Quality.BAD_ADDRESS
        if refused:
            raise RequestRefused(Quality.BAD_ADDRESS, "these", isolate=True, whole=len(refused) > 1, tags=refused)

    def granted(self, connection: Connection) -> Connection:
        assert isinstance(connection, ScriptedConnection)
        return replace(connection, timeout_s=self.limit)


async def test_where_the_device_says_which_tags_it_refuses_nobody_searches() -> None:
    reader, _, device = reader_of(list(range(100)))
    session = _Particular(device)
    device.unreadable = {3, 50, 77}
    first = await cycle_of(reader, session, 100)
    assert first.bad == dict.fromkeys((3, 50, 77), Quality.BAD_ADDRESS)
    assert [value for value in first.values if value is not None] == [n for n in range(100) if n not in (3, 50, 77)]
    assert len(device.reads) == 1
    assert set(reader.set_aside) == {3, 50, 77}


async def test_a_session_with_other_limits_is_planned_for_anew() -> None:
    reader, _, device = reader_of(list(range(10)))
    session = _Particular(device)
    planned = reader.requests
    await cycle_of(reader, session, 10)
    assert reader.requests is planned
    session.limit = 1.0
    await cycle_of(reader, session, 10)
    assert reader.requests is not planned
    replanned = reader.requests
    await cycle_of(reader, session, 10)
    assert reader.requests is replanned
