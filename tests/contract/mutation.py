"""Frames with something wrong with them, from a fixed seed: how they are made, and what must never come of them.

MUTATED_FRAMES in the environment says how many of each kind; the long run has 100,000.
"""

import asyncio
import os
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from protocols.base import Connection, Cycle, DataType, PlcSession, Request, TagSpec, Value
from protocols.errors import NoAnswer, RequestRefused, SessionError
from simulators.plc import Plc
from tests.contract.bench import Bench
from tests.doubles.clock import LeapingLoop
from tests.doubles.visit import Visit

MUTATED_FRAMES = int(os.environ.get("MUTATED_FRAMES", "3000"))
TIMEOUT_S = 3.0
_SEED = 20260417

Mutation: TypeAlias = Callable[[random.Random, bytes, bytes], bytes]
"""From a sound frame, and another that answers (or asks) something else, to what is sent in its place."""


def flip(within: int | None = None) -> Mutation:
    """One bit of the first `within` bytes, or of all of them, is another one."""

    def flipped(rng: random.Random, frame: bytes, _other: bytes) -> bytes:
        at = rng.randrange(within or len(frame))
        return frame[:at] + bytes([frame[at] ^ 1 << rng.randrange(8)]) + frame[at + 1 :]

    return flipped


def overwrite(within: int | None = None) -> Mutation:
    """Up to four of those bytes are others."""

    def overwritten(rng: random.Random, frame: bytes, _other: bytes) -> bytes:
        changed = bytearray(frame)
        for _ in range(rng.randint(1, 4)):
            changed[rng.randrange(within or len(frame))] = rng.randrange(256)
        return bytes(changed)

    return overwritten


def truncate(rng: random.Random, frame: bytes, _other: bytes) -> bytes:
    return frame[: rng.randrange(len(frame))]


def lose_a_byte(rng: random.Random, frame: bytes, _other: bytes) -> bytes:
    at = rng.randrange(len(frame))
    return frame[:at] + frame[at + 1 :]


def gain_a_byte(rng: random.Random, frame: bytes, _other: bytes) -> bytes:
    at = rng.randrange(len(frame) + 1)
    return frame[:at] + rng.randbytes(1) + frame[at:]


def repeat(_rng: random.Random, frame: bytes, _other: bytes) -> bytes:
    return frame + frame


def begin_inside(rng: random.Random, frame: bytes, _other: bytes) -> bytes:
    return frame[rng.randrange(1, len(frame)) :] + frame


def another(_rng: random.Random, _frame: bytes, other: bytes) -> bytes:
    return other


def another_before(_rng: random.Random, frame: bytes, other: bytes) -> bytes:
    return other + frame


def noise(rng: random.Random, frame: bytes, _other: bytes) -> bytes:
    return rng.randbytes(rng.randrange(1, 2 * len(frame)))


MOVED: Sequence[Mutation] = (
    truncate, lose_a_byte, gain_a_byte, repeat, begin_inside, another, another_before, noise,
)  # fmt: skip
"""Those that any frame can suffer. Where checksums protect the data, `flip` and `overwrite` go anywhere too."""
ANYWHERE: Sequence[Mutation] = (flip(), overwrite(), *MOVED)


class Wire(asyncio.Transport):
    """Keeps what a session writes last; aborting tells it at once."""

    def __init__(self, client: asyncio.Protocol) -> None:
        super().__init__()
        self.client = client
        self.written = b""
        self.aborted = False
        client.connection_made(self)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written = bytes(data)

    def abort(self) -> None:
        if not self.aborted:
            self.aborted = True
            self.client.connection_lost(None)

    async def asked(self) -> bytes:
        """The question, as soon as it is written."""
        while not self.written:
            await asyncio.sleep(0)
        return self.written


@dataclass(frozen=True, slots=True)
class Answers:
    """A driver whose answers are mutated. `ask_other` turns a question on the wire into that of another request."""

    bench: Bench
    fields: dict[str, object]
    open: Callable[[Connection, random.Random], tuple[PlcSession, asyncio.Protocol]]
    ask_other: Callable[[bytes, Request], bytes]
    mutations: Sequence[Mutation]

    async def read_once(self, rng: random.Random) -> str:
        """One read of values that are nowhere else; its answer is mutated. What came of it."""
        connection = self.bench.driver.connection({"host": "10.0.0.7", **self.fields}, TIMEOUT_S)
        session, client = self.open(connection, rng)
        wire, count = Wire(client), rng.randint(1, 8)
        request, right = self._request(connection, rng.randrange(500), count, rng.randrange(30_000))
        other, _ = self._request(connection, 1000 + rng.randrange(500), count, 40_000 + rng.randrange(20_000))
        cycle = Cycle([None] * count)
        reading = asyncio.create_task(session.read(request, cycle))
        asked = await wire.asked()
        answer, foreign = (self.bench.device.answer(each) for each in (asked, self.ask_other(asked, other)))
        client.data_received(rng.choice(self.mutations)(rng, answer, foreign))
        outcome = await outcome_of(reading)
        assert cycle.values == (right if outcome == "done" else [None] * count)
        await session.close()
        assert wire.aborted
        return outcome

    def _request(self, at: Connection, start: int, count: int, value: int) -> tuple[Request, list[Value | None]]:
        values = list(range(value, value + count))
        self.bench.put(start, values)
        tags = [TagSpec("t", self.bench.word(start + i), DataType.UINT16) for i in range(count)]
        (request,) = self.bench.driver.compile(at, [self.bench.driver.point(tag, at) for tag in tags])
        return request, [*values]


async def outcome_of(asking: "asyncio.Task[None]") -> str:
    """``done``, or by which of our errors it ended: at the deadline if by silence, else no later."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    try:
        await asking
        outcome = "done"
    except (SessionError, RequestRefused) as error:
        outcome = type(error).__name__
    took_s = loop.time() - began
    assert took_s <= TIMEOUT_S + 0.1
    assert outcome != NoAnswer.__name__ or took_s >= TIMEOUT_S - 0.1
    return outcome


@dataclass(frozen=True, slots=True)
class Questions:
    """A simulator whose questions are mutated. Whoever comes says `greeting` first, where that is not empty.

    `is_right` tells whether bytes end with the right answer to `question`; `betrays` whether they hold a false value.
    """

    plc: Plc[Any, Any]
    question: bytes
    other: bytes
    is_right: Callable[[bytes], bool]
    greeting: bytes = b""
    mutations: Sequence[Mutation] = ANYWHERE
    betrays: Callable[[bytes], bool] = lambda _answers: False

    async def ask_once(self, rng: random.Random) -> str:
        """A mutated question, then the sound one twice: whether it was answered, and what became of the line."""
        visit = Visit(self.plc)
        mutated = rng.choice(self.mutations)(rng, self.question, self.other)
        if rng.random() < 0.9:
            await visit.say(self.greeting)
        assert not self.betrays(await visit.say(mutated))
        outcome = "closed" if visit.closed else "mute"
        for attempt in (1, 2):
            answer = await visit.say(self.question)
            assert not self.betrays(answer)
            if self.is_right(answer):
                outcome = f"answered at attempt {attempt}"
                break
        await visit.end()
        await self.is_well()
        return outcome

    async def is_well(self) -> None:
        """A new client is answered at once and rightly, and nobody is left behind."""
        assert self.plc.open_connections == 0
        visit = Visit(self.plc)
        if self.greeting:
            await visit.say(self.greeting)
        assert self.is_right(await visit.say(self.question))
        await visit.end()


def mutated(one_round: Callable[[random.Random], Awaitable[str]], rounds: int = MUTATED_FRAMES) -> Counter[str]:
    """So many rounds from the fixed seed, in time that leaps: how often what came of them."""

    async def all_rounds() -> Counter[str]:
        rng = random.Random(_SEED)
        return Counter([await one_round(rng) for _ in range(rounds)])

    with asyncio.Runner(loop_factory=LeapingLoop) as runner:
        outcomes = runner.run(all_rounds())
    assert outcomes.total() == rounds
    print(f"{rounds} mutated frames: {dict(outcomes)}")
    return outcomes
