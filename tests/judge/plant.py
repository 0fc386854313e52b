"""A plant for the judge: the real collector between a PLC that counts its readings and a real Mosquitto.

All around the collector is in this process, on one clock. Between the collector and the broker is a proxy that can
be given any weather and notes the PUBACKs; nobody else goes through it.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from simulators.fleet import FleetServer
from simulators.modbus import ModbusPlc, Table, Unit, row_of
from simulators.modbus.words import Kind
from simulators.signals import Unique
from tests.doubles.collector_process import CollectorProcess
from tests.doubles.mosquitto import Mosquitto, free_port
from tests.doubles.proxy import TcpProxy
from tests.judge.disk import Disk
from tests.judge.recorded import owed
from tests.judge.records import Fault, Id, Life, Record, Replay
from tests.judge.subscriber import Subscriber
from tests.judge.tap import Tap

EDGE_ID = "edge-judge-001"
RECONNECT_MAX_S = 2
RESUME_S = RECONNECT_MAX_S + 2.0
COMMIT_S = 0.1
FSYNC_S = 0.35
"""An fsync of this machine's disk while two cores do all that a plant does."""

_NEEDED_TO_TELL_S = 3.0


class Plant:
    """``async with Plant(folder) as plant``: everything runs but the collector; `start` starts it.

    `interval_s` is the PLC's poll interval. `variables` are further settings of the collector. When the block ends,
    the collector is ended too.
    """

    def __init__(
        self, folder: Path, *, interval_s: float = 0.05, replay: Replay = "fifo", filler: int = 8, **variables: object
    ) -> None:
        self.folder = folder
        self.faults: list[Fault] = []
        self.lives: list[Life] = []
        self.unanswered: list[tuple[float, float]] = []
        self.broker_forgot = False
        self.replay = replay
        self.disk: Disk | None = None
        self.tap = Tap()
        # Nothing may wait within the broker for its subscriber: what was there is lost when it is killed.
        self.broker = Mosquitto(lines=["max_inflight_messages 0", "set_tcp_nodelay true"])
        self.collector = CollectorProcess(folder / "collector", {})
        self._interval_s = interval_s
        self._filler = filler
        self._variables = variables
        self._began: float | None = None
        self._stack = AsyncExitStack()

    @property
    def data_dir(self) -> Path:
        """The collector's ``DATA_DIR``."""
        return self.folder / "collector" / "data"

    @property
    def made(self) -> int:
        """The newest sample that the PLC handed out; 0 before the first."""
        reads = self.plc.record.reads
        return reads[-1].read if reads else 0

    async def __aenter__(self) -> Self:
        await self._stack.__aenter__()
        self._stack.enter_context(self.broker)
        self.proxy = await self._stack.enter_async_context(TcpProxy(self.broker.port))
        self.proxy.upward, self.proxy.downward = self.tap.upward, self.tap.downward
        cells = row_of(Table.HOLDING, 0, [Unique()], Kind.UINT32) + row_of(Table.HOLDING, 2, map(Unique, range(100)))
        self.plc = await self._stack.enter_async_context(ModbusPlc({1: Unit(cells=cells)}))
        self.fleet = await self._stack.enter_async_context(
            FleetServer(broker_url=self.broker.url, document=self._document())
        )
        self.subscriber = await self._stack.enter_async_context(Subscriber(self.broker.url, EDGE_ID))
        self.collector.configure(self._environment())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.collector.__exit__(kind, error, trace)
        finally:
            await self._stack.__aexit__(kind, error, trace)
        assert not self.subscriber.told_secrets, f"the broker was told {self.subscriber.told_secrets}"

    # --- the collector's lives

    async def start(self) -> None:
        """Start the collector and wait until it reads."""
        made = self.made
        self.collector.start()
        self._began = time.monotonic()
        await self.until(lambda: self.made > made, 15, "the collector does not read")

    async def kill(self) -> None:
        """SIGKILL."""
        self._note_end(killed=True)
        await asyncio.to_thread(self.collector.kill)

    async def died(self) -> None:
        """Wait until it has ended itself, as a crash point makes it."""
        await self.collector.wait()
        self._note_end(killed=True)

    async def stop(self) -> int:
        """SIGTERM; returns the exit status."""
        self._note_end(killed=False)
        status, _ = await self.collector.stop()
        return status

    def _note_end(self, *, killed: bool) -> None:
        assert self._began is not None
        self.lives.append(Life(self._began, time.monotonic(), killed))
        self._began = None

    # --- waiting

    async def until(self, condition: Callable[[], bool], within_s: float, what: str) -> None:
        """Wait for a condition; fail with the collector's log."""
        deadline = time.monotonic() + within_s
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(f"not within {within_s:g} s: {what}\n{self.collector.log[-4000:]}")
            await asyncio.sleep(0.02)

    async def calm(self, within_s: float = 60.0) -> None:
        """Wait until something has arrived that was made after the call, and nothing older is on its way."""
        made = self.made
        await self.until(lambda: self._complete_since(made), within_s, "the backlog is not drained")

    async def broker_returns(self) -> None:
        """The broker is there again, for the subscriber first: it may miss nothing of what is replayed."""
        await asyncio.to_thread(self.broker.start)
        await self.subscriber.ready()
        await self.proxy.open()

    def _complete_since(self, sample: int) -> bool:
        # With `live_first` the backlog arrives beside what is fresh, and a killed broker may have forgotten some.
        return self.subscriber.newest > sample and (not (holes := self._holes()) or self._forgotten(holes))

    def _holes(self) -> list[Id]:
        start = self.subscriber.newest_start
        ranges = start.unexplained(first=1)
        return [Id.of(start.epoch, seq) for first, last in ranges for seq in range(first, last + 1)]

    def _forgotten(self, holes: list[Id]) -> bool:
        return self.broker_forgot and self.tap.acknowledged.keys() >= set(holes)

    # --- the record

    def record(self) -> Record:
        """For the judge; of a collector that has been stopped or killed."""
        made = {seen.read: seen.at for seen in self.plc.record.reads}
        told_by = [life for life in self.lives[1:] if life.ended - life.began > _NEEDED_TO_TELL_S]
        unclean = [
            life for life, after in zip(self.lives, self.lives[1:], strict=False) if life.killed and after in told_by
        ]
        return Record(
            made=made,
            owed=owed(made, self.lives, self.unanswered, commit_s=COMMIT_S, fsync_s=FSYNC_S),
            arrivals=self.subscriber.arrivals,
            gaps=self.subscriber.gaps,
            restarts=self.subscriber.restarts,
            restarts_due=len(unclean),
            faults=self.faults,
            acknowledged=self.tap.acknowledged,
            repeated=self.tap.repeated,
            broker_forgot=self.broker_forgot,
            replay=self.replay,
            resume_s=RESUME_S,
        )

    def _environment(self) -> dict[str, object]:
        return {
            "EDGE_SERVER_URL": self.fleet.url,
            "MQTT_BROKER_URL": f"mqtt://127.0.0.1:{self.proxy.port}",
            "DEVICE_ID": EDGE_ID,
            "DATA_DIR": self.data_dir,
            "BUFFER_COMMIT_MS": round(COMMIT_S * 1000),
            "BUFFER_REPLAY": self.replay,
            "MQTT_RECONNECT_MAX_SEC": RECONNECT_MAX_S,
            "HTTP_PORT": free_port(),
            **self._variables,
        }

    def _document(self) -> dict[str, object]:
        tags = [{"name": "sample", "address": 40001, "data_type": "UINT32"}]
        tags += [
            {"name": f"r{place}", "address": 40003 + place, "data_type": "UINT16"} for place in range(self._filler)
        ]
        device = {
            "id": "1",
            "name": "프레스_1",
            "protocol": "modbus_tcp",
            "connection": {"host": self.plc.host, "port": self.plc.port, "unit_id": 1},
            "interval_ms": round(self._interval_s * 1000),
            "tags": tags,
        }
        return {"edge_id": EDGE_ID, "edge_name": "재판소", "devices": [device]}
