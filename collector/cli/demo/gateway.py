"""The collector of the demo, as a process of its own that is started again whenever it ends, as systemd would do."""

import asyncio
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import orjson

from collector.cli.demo.figures import Figures
from collector.cli.demo.lives import Life, Lives, left_behind
from collector.cli.demo.report import MARK, Report
from collector.cli.demo.ring import Ring
from collector.clock import SystemClock
from collector.status.board import Board, BrokerState, BufferState, DeviceState

_PROGRAM = "collector.cli.demo.gateway_process"
_LONGEST_LINE = 16 << 20
_EXIT_WITHIN_S = 15.0
_BACK_WITHIN_S = 60.0
_RESTART_S = 1.0
_OWN_PAGE = "page"  # the word under which it logs where that is; one link is enough, and it leads there

Meanwhile = Callable[[], object]


class GatewayTrouble(Exception):
    """The collector's process does not start; the message says why."""


class Gateway:
    """``async with Gateway(folder, environ, ring) as gateway``: it has reported before the block begins.

    `board` and `figures` are what the newest report says, `lives` what became of the starts before; `on_news` is
    called when they have changed. `warm` is its first process, from `warmed_up`. Raises `GatewayTrouble`.
    """

    def __init__(self, folder: Path, environ: Mapping[str, str], ring: Ring, warm: Process | None = None) -> None:
        self.board = Board(SystemClock())
        self.figures = Figures()
        self.lives = Lives()
        self.on_news: Callable[[], None] = lambda: None
        self.newest: Report | None = None
        self._outbox = Path(environ["DATA_DIR"]) / "outbox"
        self._env_file = folder / ".env"  # an empty one: the visitor's is for a real collector
        self._order = orjson.dumps({"env_file": str(self._env_file), "environ": environ}) + b"\n"
        self._ring = ring
        self._warm = warm
        self._process: Process | None = None
        self._meanwhile: Meanwhile | None = None
        self._last_words = "it said nothing"
        self._news = asyncio.Event()
        self._turn = asyncio.Lock()
        self._ending = False
        self._living: asyncio.Task[None] | None = None

    @property
    def alive(self) -> bool:
        """Whether it runs and has reported."""
        return self.newest is not None

    @property
    def outbox(self) -> Path:
        """The folder of its buffer."""
        return self._outbox

    @property
    def delivered(self) -> bool:
        """Whether it has its broker and nothing rests on disk."""
        return self.newest is not None and self.board.broker.connected and not self.newest.rests_on_disk

    async def kill(self, meanwhile: Meanwhile | None = None) -> bool:
        """End it by SIGKILL, do `meanwhile` (which may block), and let it start again; whether it is back."""
        async with self._turn:
            process = self._process
            if process is None or process.returncode is not None or not self.alive or self._ending:
                return False
            self._meanwhile = meanwhile
            process.kill()
            await self.until(lambda: not self.alive, _EXIT_WITHIN_S)
            return await self.until(lambda: self.alive, _BACK_WITHIN_S)

    async def until(self, condition: Callable[[], bool], within_s: float) -> bool:
        """Wait for something that a report, or the process's end, may make true; whether it came true in time."""
        try:
            async with asyncio.timeout(within_s):
                while not condition():
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            return condition()
        return True

    async def __aenter__(self) -> Self:
        self._env_file.touch(mode=0o600)
        self._living = asyncio.create_task(self._live_on(), name="gateway")
        self._living.add_done_callback(lambda _: self._news.set())
        await self.until(lambda: self.alive or self._has_ended, _BACK_WITHIN_S)
        if not self.alive:
            await self.__aexit__(None, None, None)
            raise GatewayTrouble(f"the collector does not start: {self._last_words}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ending = True
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
        if self._living is not None:
            await asyncio.wait([self._living], timeout=_EXIT_WITHIN_S)
            if self._process is not None and self._process.returncode is None:
                self._process.kill()
            await self._living

    @property
    def _has_ended(self) -> bool:
        return self._living is None or self._living.done()

    async def _live_on(self) -> None:
        while not self._ending:
            await self._live()
            newest, self.newest = self.newest, None
            self._news.set()
            if newest is not None and not self._ending:
                await self._settle(newest)
            elif not self.lives.past:
                return
            else:
                await asyncio.sleep(_RESTART_S)

    async def _live(self) -> None:
        warm, self._warm = self._warm, None
        self._process = process = warm or await _spawn()
        assert process.stdin is not None and process.stdout is not None  # noqa: S101, PT018 - they were asked for
        process.stdin.write(self._order)
        if self._ending:
            process.terminate()
        async for line in process.stdout:
            self._hear(line)
        await process.wait()

    async def _settle(self, newest: Report) -> None:
        """Close the books of a life that has ended, and do what was to be done before the next one begins."""
        counts = self.board.buffer
        left = await asyncio.to_thread(left_behind, self._outbox, newest.epoch, counts)
        self.lives.past.append(Life(newest.epoch, counts.dropped, left.numbers))
        self.lives.found = left.messages
        self.board.buffer = BufferState(messages=left.messages, recorded=left.messages)
        self.board.broker = BrokerState(url=self.board.broker.url)
        self.on_news()
        meanwhile, self._meanwhile = self._meanwhile, None
        if meanwhile is not None:
            await asyncio.to_thread(meanwhile)

    def _hear(self, line: bytes) -> None:
        if not line.startswith(MARK):
            self._pass_on(line)
            return
        self.newest = report = Report.read(line)
        board = self.board
        board.buffer, board.broker, board.config = report.buffer, report.broker, report.config
        board.devices = {
            each.id: DeviceState(
                each.id, each.name, each.condition, each.since_ms, error=each.error,
                requests_per_cycle=each.requests_per_cycle,
            )
            for each in report.devices
        }  # fmt: skip
        self.lives.found = report.buffer.recorded - report.made
        for cycle in report.cycles:
            self.figures.take(cycle)
        self.on_news()
        self._news.set()

    def _pass_on(self, line: bytes) -> None:
        """A line of its log; what is none is the last word of something that broke."""
        try:
            said = orjson.loads(line)
            text, level = str(said["event"]), str(said["level"])
            details = [f"{name}={value}" for name, value in said.items() if name not in ("timestamp", "level", "event")]
        except (ValueError, KeyError, TypeError):
            text, level, details = line.decode("utf-8", "replace").strip(), "warning", []
        if text and text != _OWN_PAGE:
            self._last_words = text
            self._ring.say(" ".join((text, *details)), level)


@asynccontextmanager
async def warmed_up() -> AsyncIterator[Process]:
    """A process that loads its libraries while all else starts, and waits to be told its settings."""
    process = await _spawn()
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _spawn() -> Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", _PROGRAM),
        stdin=PIPE,
        stdout=PIPE,
        stderr=STDOUT,
        limit=_LONGEST_LINE,
        start_new_session=True,  # a Ctrl-C in the terminal is for the demo, which ends it in its turn
    )
