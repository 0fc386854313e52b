"""What an answer to a POST means for each message of the body."""

import json
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.delivery.message import Entry
from collector.delivery.sinks.destination import Away, LettersUnwanted
from collector.delivery.sinks.posting import Answer, Posting, Room, Verdict, body_of

TAKEN, BAD = Answer(Verdict.TAKEN, "200"), Answer(Verdict.BAD_BODY, "400")
LARGE, UNWANTED = Answer(Verdict.TOO_LARGE, "413"), Answer(Verdict.UNWANTED, "404")
Judge = Callable[[str, list[int]], Answer]


def entry(number: int, kind: str = "data") -> Entry:
    """A message that is its number."""
    seq = number if kind == "data" else None
    return Entry(f"vexplor/devices/edge-1/{kind}", b'{"n":%d}' % number, 0, 0.0, epoch="e", seq=seq)


class Server:
    """Judges each body by its kind and the numbers in it."""

    def __init__(self, judge: Judge, most_bytes: int = 1 << 20) -> None:
        self.judge = judge
        self.room = Room(most_bytes)
        self.bodies: list[tuple[str, list[int]]] = []
        self.taken: list[int] = []
        self.refused: dict[int, str] = {}

    async def deliver(self, batch: Sequence[Entry]) -> None:
        def settle(settled: Entry, why: str | None) -> None:
            number = json.loads(settled.payload)["n"]
            if why is None:
                self.taken.append(number)
            else:
                self.refused[number] = why

        await Posting(self._post, settle, self.room).deliver(batch)

    async def _post(self, kind: str, body: bytes) -> Answer:
        numbers = [each["n"] for each in json.loads(body)]
        self.bodies.append((kind, numbers))
        return self.judge(kind, numbers)


def test_a_body_is_an_array_of_what_the_broker_gets_with_the_edge() -> None:
    assert json.loads(body_of([entry(1), entry(2)])) == [{"edge_id": "edge-1", "n": 1}, {"edge_id": "edge-1", "n": 2}]


async def test_a_batch_is_one_request_a_kind_in_order() -> None:
    server = Server(lambda kind, numbers: TAKEN)
    await server.deliver([entry(1, "events"), entry(2, "log"), entry(3, "events"), entry(4), entry(5)])
    assert server.bodies == [("events", [1, 3]), ("log", [2]), ("data", [4, 5])]
    assert server.taken == [1, 3, 2, 4, 5]


@given(poison=st.sets(st.integers(0, 59), max_size=7))
async def test_k4_a_poison_message_costs_itself_and_no_other(poison: set[int]) -> None:
    server = Server(lambda kind, numbers: BAD if poison & set(numbers) else TAKEN)
    await server.deliver([entry(number) for number in range(60)])
    assert set(server.refused) == poison
    assert sorted(server.taken) == [number for number in range(60) if number not in poison]
    assert len(server.bodies) <= 2 + 14 * len(poison)


async def test_k4_many_poison_messages_before_a_good_one_are_all_found() -> None:
    server = Server(lambda kind, numbers: BAD if min(numbers) < 20 else TAKEN)
    await server.deliver([entry(number) for number in range(30)])
    assert set(server.refused) == set(range(20))


async def test_k5_a_server_that_refuses_everything_costs_no_message_and_is_not_asked_for_ever() -> None:
    server = Server(lambda kind, numbers: BAD)
    with pytest.raises(Away, match="400"):
        await server.deliver([entry(number) for number in range(200)])
    assert (server.taken, server.refused) == ([], {})
    assert len(server.bodies) < 40


async def test_one_refused_message_alone_proves_nothing() -> None:
    server = Server(lambda kind, numbers: BAD)
    with pytest.raises(Away):
        await server.deliver([entry(1)])
    assert server.refused == {}


async def test_that_a_path_closed_on_a_suspect_and_the_next_one_passes_does_not_convict_it() -> None:
    def judge(kind: str, numbers: list[int]) -> Answer:
        if kind == "data":
            return TAKEN
        return UNWANTED if numbers == [1] else BAD

    server = Server(judge)
    with pytest.raises(LettersUnwanted, match="404"):
        await server.deliver([entry(1, "events"), entry(2, "events"), entry(3)])
    assert (server.taken, server.refused) == ([3], {})


async def test_what_was_found_is_settled_before_the_server_goes_away() -> None:
    def judge(kind: str, numbers: list[int]) -> Answer:
        if 9 in numbers and len(numbers) == 1:
            raise Away("no answer in time")
        return TAKEN if numbers == [29] else BAD

    server = Server(judge)
    with pytest.raises(Away, match="in time"):
        await server.deliver([entry(number) for number in range(30)])
    assert server.taken == [29]
    assert 0 < len(server.refused) < 29


async def test_that_another_path_takes_messages_does_not_convict_data() -> None:
    server = Server(lambda kind, numbers: BAD if kind == "data" else TAKEN)
    with pytest.raises(Away):
        await server.deliver([entry(1, "events"), entry(2)])
    assert (server.taken, server.refused) == ([1], {})


async def test_a_body_too_large_is_halved_and_the_next_is_not_that_large() -> None:
    server = Server(lambda kind, numbers: LARGE if len(numbers) > 100 else TAKEN)
    await server.deliver([entry(number) for number in range(200)])
    assert sorted(server.taken) == list(range(200))
    asked = len(server.bodies)
    await server.deliver([entry(number) for number in range(200)])
    assert all(len(numbers) <= 100 for _, numbers in server.bodies[asked:])


async def test_k4_a_message_too_large_by_itself_is_refused_where_others_pass() -> None:
    server = Server(lambda kind, numbers: LARGE if 3 in numbers else TAKEN)
    await server.deliver([entry(number) for number in range(8)])
    assert set(server.refused) == {3}
    assert sorted(server.taken) == [0, 1, 2, 4, 5, 6, 7]


async def test_k6_a_path_that_is_not_there_holds_up_no_data() -> None:
    server = Server(lambda kind, numbers: UNWANTED if kind == "events" else TAKEN)
    with pytest.raises(LettersUnwanted, match="404"):
        await server.deliver([entry(1, "events"), entry(2)])
    assert (server.taken, server.refused) == ([2], {})
    with pytest.raises(Away):
        await server.deliver([entry(1, "events")])


async def test_k5_a_path_for_data_that_is_not_there_costs_no_data() -> None:
    server = Server(lambda kind, numbers: UNWANTED if kind == "data" else TAKEN)
    with pytest.raises(Away):
        await server.deliver([entry(1, "events"), entry(2)])
    assert (server.taken, server.refused) == ([1], {})


async def test_host_figures_that_nobody_wants_are_thrown_away_where_the_rest_is_taken() -> None:
    server = Server(lambda kind, numbers: UNWANTED if kind == "log" else TAKEN)
    await server.deliver([entry(1, "log"), entry(2)])
    assert (server.taken, server.refused) == ([2, 1], {})
    with pytest.raises(Away):
        await server.deliver([entry(1, "log")])
