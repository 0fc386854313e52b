"""What a server sends with something wrong with it, from a fixed seed.

MUTATED_FRAMES of them, 1,000 where it is not set.

Without security OPC-UA has no checksum, so what is changed is all but the values themselves.
"""

import asyncio
import os
import random
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from protocols.base import Cycle, DataType, TagSpec
from protocols.errors import ConnectFailed, NoAnswer, RequestRefused, SessionError
from protocols.opcua import opening, wire
from protocols.opcua.driver import OpcUaDriver
from protocols.opcua.session import OpcUaSession
from tests.doubles.clock import LeapingLoop
from tests.doubles.opcua_device import OpcUaDevice

MUTATED_FRAMES = int(os.environ.get("MUTATED_FRAMES", "1000"))
HEADER = 56  # of an answer to a read: up to the first value
TIMEOUT_S = 3.0
DRIVER = OpcUaDriver()
CONNECTION = DRIVER.connection({"host": "10.0.0.7"}, TIMEOUT_S)

Mutation = Callable[[random.Random, bytes, bytes], bytes]
Changed = Callable[[bytes], bytes]


class Server(asyncio.Transport):
    """Answers as `device` does, after `changed` had its way with the answer."""

    def __init__(self, device: OpcUaDevice, protocol: asyncio.Protocol) -> None:
        super().__init__()
        self.device = device
        self.protocol = protocol
        self.changed: Changed = lambda answer: answer
        self.gone = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        answer = self.changed(self.device.answer(bytes(data)))
        if answer:
            asyncio.get_running_loop().call_soon(self._tell, answer)

    def _tell(self, answer: bytes) -> None:
        if not self.gone:
            self.protocol.data_received(answer)

    def abort(self) -> None:
        if not self.gone:
            self.gone = True
            asyncio.get_running_loop().call_soon(self.protocol.connection_lost, None)

    close = abort

    def is_closing(self) -> bool:
        return self.gone


def flip(rng: random.Random, answer: bytes, _other: bytes) -> bytes:
    changed = bytearray(answer)
    changed[rng.randrange(min(HEADER, len(answer)))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def overwrite(rng: random.Random, answer: bytes, _other: bytes) -> bytes:
    changed = bytearray(answer)
    for _ in range(rng.randint(1, 4)):
        changed[rng.randrange(min(HEADER, len(answer)))] = rng.choice((0, 1, 127, 128, 252, 255, rng.randrange(256)))
    return bytes(changed)


def truncate(rng: random.Random, answer: bytes, _other: bytes) -> bytes:
    return answer[: rng.randrange(len(answer))]


def end_early(rng: random.Random, answer: bytes, _other: bytes) -> bytes:
    return sized(answer[: rng.randrange(8, len(answer))])


def gain_bytes(rng: random.Random, answer: bytes, _other: bytes) -> bytes:
    return sized(answer + rng.randbytes(rng.randint(1, 40)))


def lose_a_byte(rng: random.Random, answer: bytes, _other: bytes) -> bytes:
    at = rng.randrange(min(HEADER, len(answer)))
    return sized(answer[:at] + answer[at + 1 :]) if rng.random() < 0.5 else answer[:at] + answer[at + 1 :]


def lie_about_the_size(rng: random.Random, answer: bytes, _other: bytes) -> bytes:
    size = rng.choice((0, 1, 7, 8, 11, 12, len(answer) - 1, len(answer) + 1, 65_535, 2**31 - 1, 2**32 - 1))
    return answer[:4] + size.to_bytes(4, "little") + answer[8:]


def repeat(_rng: random.Random, answer: bytes, _other: bytes) -> bytes:
    return answer + answer


def another_answer(_rng: random.Random, _answer: bytes, other: bytes) -> bytes:
    return other


def another_answer_before(_rng: random.Random, answer: bytes, other: bytes) -> bytes:
    return other + answer


def endless_pieces(rng: random.Random, answer: bytes, _other: bytes) -> bytes:
    """Empty pieces, none of which is the last."""
    return b"".join(
        b"MSGC" + (24).to_bytes(4, "little") + answer[8:16] + (number + i).to_bytes(4, "little") + answer[20:24]
        for number in [int.from_bytes(answer[16:20], "little")]
        for i in range(rng.choice((3, 3, 3, 2500)))
    )


def impossible_length(rng: random.Random, answer: bytes, _other: bytes) -> bytes:
    """A value that says it has millions of elements, of no bytes or of fewer than none."""
    many = rng.choice((3_000_000, 2**31 - 1)).to_bytes(4, "little")
    kind, element = rng.choice(
        ((0, b""), (12, b"\xfc\xff\xff\xff"), (15, b"\xfc\xff\xff\xff"), (5, b"\1\0"), (24, b"\0"))
    )
    dimensions = rng.choice((b"", b"\2\0\0\0\xff\xff\xff\x7f\xff\xff\xff\x7f"))
    variant = bytes((0x80 | kind | (0x40 if dimensions else 0),)) + many + element + dimensions
    return sized(answer[:52] + b"\1\0\0\0" + b"\1" + variant + b"\xff\xff\xff\xff")


def contradicting_dimensions(rng: random.Random, answer: bytes, _other: bytes) -> bytes:
    """A single value or two, and dimensions of which there can be none."""
    value = rng.choice((b"\xc5\2\0\0\0\1\0\2\0", b"\x45\1\0", b"\x4c\3\0\0\0abc", b"\xcc\1\0\0\0\1\0\0\0a"))
    dimensions = rng.choice(
        (b"\2\0\0\0\2\0\0\0\2\0\0\0", b"\1\0\0\0\3\0\0\0", b"\0\0\0\0", b"\2\0\0\0\0\0\0\0\0\0\0\0")
    )
    return sized(answer[:52] + b"\1\0\0\0" + b"\1" + value + dimensions + b"\xff\xff\xff\xff")


def an_error(rng: random.Random, _answer: bytes, _other: bytes) -> bytes:
    code = rng.choice((0, 0x8001_0000, 0x807D_0000, 0x8080_0000, rng.randrange(2**32)))
    return sized(b"ERRF\0\0\0\0" + code.to_bytes(4, "little") + b"\xff\xff\xff\xff")


def noise(rng: random.Random, answer: bytes, _other: bytes) -> bytes:
    body = rng.randbytes(rng.randrange(1, 2 * len(answer)))
    return body if rng.random() < 0.5 else sized(answer[:24] + body)


MUTATIONS: Sequence[Mutation] = (
    flip, overwrite, truncate, end_early, gain_bytes, lose_a_byte, lie_about_the_size, repeat, another_answer,
    another_answer_before, endless_pieces, impossible_length, contradicting_dimensions, an_error, noise,
)  # fmt: skip
VALUED = (impossible_length, contradicting_dimensions)
"""Those that send another value, of which it is enough that it does no harm."""


def sized(message: bytes) -> bytes:
    return message[:4] + len(message).to_bytes(4, "little") + message[8:]


@pytest.fixture(autouse=True)
def _no_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time that leaps would not wait for them."""

    async def here(function: Callable[..., object], *arguments: object) -> object:
        return function(*arguments)

    monkeypatch.setattr(asyncio, "to_thread", here)


class Hall:
    """A device, and sessions with it that are opened anew only where the one before is over."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.device = OpcUaDevice()
        self.server: Server
        self.at_once: Changed = lambda answer: answer
        monkeypatch.setattr(wire, "dial", self._dial)
        self._session: OpcUaSession | None = None

    async def _dial(self, _host: str, _port: int, _timeout_s: float, make: Callable[[], asyncio.Protocol]) -> Any:
        protocol = make()
        self.server = Server(self.device, protocol)
        self.server.changed = self.at_once
        protocol.connection_made(self.server)
        return protocol

    async def session(self) -> OpcUaSession:
        if self._session is None or self.server.gone:
            await self.hang_up()
            self._session = await opening.open_session(CONNECTION, None)
        return self._session

    async def hang_up(self) -> None:
        if self._session is not None:
            await self._session.close()
        self._session = None


async def read_mutated(rng: random.Random, hall: Hall) -> str:
    """One read of values that no other read has, with its answer changed."""
    session = await hall.session()
    start, count = rng.randrange(10_000), rng.randint(1, 8)
    right = [rng.randrange(65_536) for _ in range(count)]
    hall.device.words.update({start + at: value for at, value in enumerate(right)})
    hall.device.words.update({20_000 + start + at: 1 for at in range(count)})
    tags = [TagSpec("t", f"ns=2;i={start + at}", DataType.UINT16) for at in range(count)]
    (request,) = DRIVER.compile(CONNECTION, [DRIVER.point(tag, CONNECTION) for tag in tags])
    mutation = rng.choice(MUTATIONS)

    def changed(answer: bytes) -> bytes:
        other = answer[:20] + (int.from_bytes(answer[20:24], "little") + 1).to_bytes(4, "little") + answer[24:]
        hall.server.changed = lambda answer: answer
        return mutation(rng, answer, other)

    hall.server.changed = changed
    loop, cycle = asyncio.get_running_loop(), Cycle([None] * count)
    began = loop.time()
    try:
        await session.read(request, cycle)
        outcome = "value" if cycle.values == right else "none"
    except (SessionError, RequestRefused) as error:
        outcome = type(error).__name__
    assert loop.time() - began <= TIMEOUT_S + 0.1
    for position, value in enumerate(cycle.values):
        assert value in (None, right[position]) or mutation in VALUED, (mutation.__name__, cycle, right)
        assert value is not None or outcome != "none" or position in cycle.bad
    if outcome == NoAnswer.__name__:
        await hall.hang_up()  # as a lane does
    return outcome


async def open_mutated(rng: random.Random, hall: Hall) -> str:
    """One session, with one of the answers on the way to it changed."""
    await hall.hang_up()
    spared, mutation = rng.randrange(5), rng.choice(MUTATIONS)

    def changed(answer: bytes) -> bytes:
        nonlocal spared
        spared -= 1
        return mutation(rng, answer, answer[:20] + b"\x63\0\0\0" + answer[24:]) if spared == -1 and answer else answer

    hall.at_once = changed
    loop = asyncio.get_running_loop()
    began = loop.time()
    try:
        session = await opening.open_session(CONNECTION, None)
    except ConnectFailed:
        outcome = ConnectFailed.__name__
    else:
        outcome = "open"
        await session.close()
    finally:
        hall.at_once = lambda answer: answer
    assert loop.time() - began <= TIMEOUT_S + 1.1, mutation.__name__
    assert hall.server.gone
    return outcome


@pytest.mark.parametrize(("one_round", "share"), [(read_mutated, 1.0), (open_mutated, 0.25)])
def test_p4_no_mutated_message_gives_a_wrong_value_a_hang_or_a_foreign_exception(
    monkeypatch: pytest.MonkeyPatch, one_round: Callable[[random.Random, Hall], Any], share: float
) -> None:
    rounds = int(MUTATED_FRAMES * share)

    async def all_rounds() -> Counter[str]:
        rng, hall = random.Random(20260417), Hall(monkeypatch)
        outcomes = Counter([await one_round(rng, hall) for _ in range(rounds)])
        await hall.hang_up()
        return outcomes

    with asyncio.Runner(loop_factory=LeapingLoop) as runner:
        outcomes = runner.run(all_rounds())
    print(dict(outcomes))
    assert outcomes.total() == rounds
    failures = {"BadAnswer", "ConnectFailed", "SessionLost", "NoAnswer"}
    assert sum(outcomes[name] for name in failures) > rounds / 4
    assert outcomes["value"] + outcomes["open"] > rounds / 50
