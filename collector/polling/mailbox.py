"""Commands on their way to a lane, as letters: how many may wait, for how long, and what becomes of each."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeAlias, TypeVar

from collector.clock import Clock
from collector.polling.desk import Desk
from collector.polling.errors import CutShort, MailboxFull, NotCarriedOut, WaitedTooLong

MAX_WAITING = 100

Result = TypeVar("Result")
Errand: TypeAlias = Callable[[Desk], Awaitable[Result]]
"""What is to be done with the device's session once it is the letter's turn."""


class Letter(Generic[Result]):
    """One errand for one device. It is answered exactly once, at its deadline if it is still waiting then.

    `deadline` is monotonic seconds. An `insistent` letter has the lane connect if there is no session.
    """

    def __init__(self, device_id: str, errand: Errand[Result], deadline: float, *, insistent: bool) -> None:
        self.device_id = device_id
        self.deadline = deadline
        self.insistent = insistent
        self._loop = asyncio.get_running_loop()
        self.answer: asyncio.Future[Result] = self._loop.create_future()
        self._errand = errand
        self._timer: asyncio.TimerHandle | None = None

    @property
    def waits(self) -> bool:
        """Whether somebody still wants it carried out."""
        return not self.answer.done()

    def wait(self, left_s: float) -> None:
        """From now on it waits for its turn, for so many seconds at most."""
        self._timer = self._loop.call_later(left_s, self.fail, _over(left_s))
        self.answer.add_done_callback(lambda _: self.stop_waiting())

    def stop_waiting(self) -> None:
        """Its turn has come: from now on the deadline ends only what is not begun yet (`Desk.check`)."""
        if self._timer is not None:
            self._timer.cancel()

    def fail(self, error: Exception) -> None:
        """Answer with an error, unless it is answered already."""
        if self.waits:
            self.answer.set_exception(error)

    async def carry_out(self, desk: "Desk") -> None:
        """Do it and answer. Raises nothing of what the errand raises: that is the answer."""
        try:
            result = await self._errand(desk)
        except asyncio.CancelledError:
            self.fail(CutShort("the device's lane was stopped while it carried this out"))
            raise
        except Exception as error:  # noqa: BLE001 - whoever sent the letter is told; the lane polls on
            self.fail(error)
        else:
            if self.waits:
                self.answer.set_result(result)


class Mailbox:
    """The letters that wait for one lane, in the order they came."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._letters: deque[Letter[Any]] = deque()

    def __bool__(self) -> bool:
        while self._letters and not self._letters[0].waits:
            self._letters.popleft()
        return bool(self._letters)

    def put(self, letter: Letter[Result]) -> None:
        """Let it wait for its turn. Raises `MailboxFull`, or `WaitedTooLong` where its deadline has passed already."""
        waiting = sum(1 for each in self._letters if each.device_id == letter.device_id and each.waits)
        if waiting >= MAX_WAITING:
            raise MailboxFull(f"{MAX_WAITING} commands wait for this device already")
        left_s = letter.deadline - self._clock.monotonic()
        if left_s <= 0:
            raise WaitedTooLong("its time was over before it came to the device")
        letter.wait(left_s)
        self._letters.append(letter)

    def take(self) -> Letter[Any] | None:
        """The next one that still waits, if any: its turn has come."""
        now = self._clock.monotonic()
        while self._letters:
            letter = self._letters.popleft()
            if letter.waits and letter.deadline > now:
                letter.stop_waiting()
                return letter
            letter.fail(_over(0))
        return None

    def turn_away(self, error: NotCarriedOut, device_id: str | None = None) -> None:
        """Answer all letters, or those for one device, with an error."""
        kept: deque[Letter[Any]] = deque()
        for letter in self._letters:
            if device_id in (None, letter.device_id):
                letter.fail(error)
            else:
                kept.append(letter)
        self._letters = kept


def _over(waited_s: float) -> WaitedTooLong:
    waited = f"it waited {waited_s:.1f} s for its turn" if waited_s else "its time was over before its turn came"
    return WaitedTooLong(f"{waited}; nothing was sent to the device")
