"""Who waits, until when, and that one timer serves all questions. The rest of it is in the contract suite."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from protocols.dialogue import Outcome, TimedDialogue
from protocols.errors import BadAnswer, NoAnswer, SessionLost
from tests.doubles.clock import LeapingLoop


@dataclass(frozen=True, slots=True)
class Asked:
    text: str
    timeout_s: float
    where: str = "plc"

    @property
    def asked(self) -> str:
        return self.text

    def __str__(self) -> str:
        return f"{self.where} {self.text}"


class Echoes(TimedDialogue[Asked]):
    """A question is answered by its own text."""

    def __init__(self) -> None:
        super().__init__("plc:1")
        self.late: list[str] = []

    async def ask(self, text: str, timeout_s: float) -> bytes:
        return await self._ask(Asked(text, timeout_s))

    def _frame(self, question: Asked) -> bytes:
        return question.text.encode()

    def _given_up(self, question: Asked) -> None:
        self.late.append(question.text)

    def _sift(self, question: Asked | None) -> Outcome | None:
        came = bytes(self._buffer)
        self._buffer.clear()
        if question is None or came != question.text.encode():
            raise BadAnswer(f"sent {came!r}")
        return came


class Wire(asyncio.Transport):
    """Keeps what is sent."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[bytes] = []
        self.aborted = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.sent.append(bytes(data))

    def abort(self) -> None:
        self.aborted = True


def on_wire() -> tuple[Echoes, Wire]:
    session, wire = Echoes(), Wire()
    session.connection_made(wire)
    return session, wire


async def answered(session: Echoes, text: str, timeout_s: float) -> None:
    asking = asyncio.create_task(session.ask(text, timeout_s))
    await asyncio.sleep(0)
    session.data_received(text.encode())
    assert await asking == text.encode()


def test_a_thousand_answered_questions_take_one_timer(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        session, _ = on_wire()
        for number in range(1000):
            await answered(session, str(number), 3)

    loop = LeapingLoop()
    set_timer, rings = loop.call_at, list[float]()

    def count(when: float, callback: Callable[[], object]) -> asyncio.TimerHandle:
        rings.append(when)
        return set_timer(when, callback)

    monkeypatch.setattr(loop, "call_at", count)
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(run())
    assert rings == [1003.0]


@pytest.mark.parametrize("pause_s", [0, 1, 2.5, 10])
@pytest.mark.parametrize(("before_s", "timeout_s"), [(3, 3), (3, 0.5), (0.5, 3)])
def test_silence_ends_at_the_deadline_of_its_own_question(pause_s: float, before_s: float, timeout_s: float) -> None:
    async def run() -> None:
        session, _ = on_wire()
        loop = asyncio.get_running_loop()
        await answered(session, "before", before_s)
        await asyncio.sleep(pause_s)
        began = loop.time()
        with pytest.raises(NoAnswer, match=rf"plc did not answer words 1-2 within {timeout_s:g} s"):
            await session.ask("words 1-2", timeout_s)
        assert loop.time() - began == pytest.approx(timeout_s, abs=0.002)
        assert session.late == ["words 1-2"]

    with asyncio.Runner(loop_factory=LeapingLoop) as runner:
        runner.run(run())


def test_who_was_cancelled_is_remembered_as_late_and_the_timer_does_not_ring_for_it() -> None:
    async def run() -> None:
        session, wire = on_wire()
        asking = asyncio.create_task(session.ask("a", 1))
        await asyncio.sleep(0)
        asking.cancel()
        await asyncio.wait([asking])
        await asyncio.sleep(5)
        assert session.late == ["a"]
        assert not wire.aborted

    with asyncio.Runner(loop_factory=LeapingLoop) as runner:
        runner.run(run())


async def test_a_wrong_answer_ends_it_and_names_the_question() -> None:
    session, wire = on_wire()
    asking = asyncio.create_task(session.ask("a", 60))
    await asyncio.sleep(0)
    session.data_received(b"b")
    with pytest.raises(BadAnswer, match="plc a: sent b'b'"):
        await asking
    assert wire.aborted
    with pytest.raises(BadAnswer):
        await session.ask("c", 60)
    assert wire.sent == [b"a"]


async def test_closing_tells_who_waits() -> None:
    session, _ = on_wire()
    asking = asyncio.create_task(session.ask("a", 60))
    await asyncio.sleep(0)
    session.connection_lost(None)
    with pytest.raises(SessionLost, match="the connection to plc:1 was closed by the device"):
        await asking
    await session.close()


async def test_what_never_stood_can_not_be_asked() -> None:
    with pytest.raises(SessionLost, match="plc:1 is not connected"):
        await Echoes().ask("a", 1)
