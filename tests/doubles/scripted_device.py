"""A TCP device that answers by a script, well or badly. It imports nothing of the code that it is there to test."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TypeAlias

HANG_UP = None
Step: TypeAlias = bytes | float | None
"""Bytes to send, seconds to wait, or `HANG_UP`."""

Script: TypeAlias = Callable[[bytes, bytes], Iterable[Step]]
"""From a question and its right answer to what the device does."""


def honest(_question: bytes, answer: bytes) -> list[Step]:
    """Answer rightly."""
    return [answer]


def silent(_question: bytes, _answer: bytes) -> list[Step]:
    """Take the question and say nothing."""
    return []


def hanging_up(_question: bytes, _answer: bytes) -> list[Step]:
    """Close the connection in place of an answer."""
    return [HANG_UP]


def half(_question: bytes, answer: bytes) -> list[Step]:
    """Begin an answer and never end it."""
    return [answer[: len(answer) // 2]]


def half_and_gone(_question: bytes, answer: bytes) -> list[Step]:
    """Begin an answer and close."""
    return [answer[: len(answer) // 2], HANG_UP]


def dripping(_question: bytes, answer: bytes) -> list[Step]:
    """Send the right answer a byte at a time."""
    return [step for byte in answer for step in (bytes([byte]), 0.0005)]


def garbage(_question: bytes, _answer: bytes) -> list[Step]:
    """Send what is no frame at all."""
    return [b"HTTP/1.1 400 Bad Request\r\n\r\n"]


class Late:
    """Withhold each answer until the next question, then send both, the old one first."""

    def __init__(self, *, together: bool) -> None:
        self._together = together
        self._withheld: bytes | None = None

    def __call__(self, _question: bytes, answer: bytes) -> list[Step]:
        late, self._withheld = self._withheld, answer
        if late is None:
            return []
        return [late + answer] if self._together else [late, 0.005, answer]


class ScriptedDevice(ABC):
    """Serves any number of connections on one loopback port, which it keeps over restarts."""

    def __init__(self) -> None:
        self.script: Script = honest
        self.questions: list[bytes] = []
        self.asked = asyncio.Event()
        self.port = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    @abstractmethod
    def question_size(self, received: bytes) -> int:
        """The size of the question that begins `received`, or 0 while that can not be told."""

    def greeting(self, question: bytes) -> bytes | None:
        """The answer to a question of the handshake, which no script spoils and nobody counts; None for any other."""
        return None

    @abstractmethod
    def answer(self, question: bytes) -> bytes:
        """The right answer."""

    async def start(self) -> None:
        """Listen; on the same port again after a stop."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening and break every connection."""
        if self._server:
            self._server.close()
            await self._server.wait_closed()
        for writer in self._writers:
            writer.transport.abort()
        await asyncio.gather(*self._tasks)

    def connections(self) -> int:
        """How many are open."""
        return len(self._writers)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        self._writers.add(writer)
        try:
            with suppress(ConnectionError):
                await self._converse(reader, writer)
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()
            self._writers.discard(writer)
            self._tasks.discard(task)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received = b""
        while more := await reader.read(4096):
            received += more
            while 0 < (size := self.question_size(received)) <= len(received):
                question, received = received[:size], received[size:]
                if (greeting := self.greeting(question)) is not None:
                    writer.write(greeting)
                    continue
                self.questions.append(question)
                self.asked.set()
                for step in self.script(question, self.answer(question)):
                    if step is HANG_UP:
                        return
                    if isinstance(step, bytes):
                        writer.write(step)
                        await writer.drain()
                    else:
                        await asyncio.sleep(step)
