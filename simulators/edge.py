"""A made-up edge, to try a server: says hello, sends values, answers a ping."""

import asyncio
import itertools
from collections.abc import Mapping
from types import TracebackType
from typing import Self

import orjson

from simulators.mqtt import MqttListener, Will
from simulators.signals import Counter, Cycle, Moment, RandomWalk, Signal, Square
from simulators.stamps import now_ms, stamp

_SIGNALS: Mapping[str, Signal] = {
    "temperature": RandomWalk(1, 22, 28),
    "pressure": RandomWalk(2, 10.5, 11.8),
    "생산수량": Counter(0.5, 1000),
    "running": Square(60, 0.9),
    "mode": Cycle(("AUTO", "AUTO", "MANUAL"), 45),
}
_FIGURES: Mapping[str, RandomWalk] = {
    "cpu_percent": RandomWalk(3, 3, 35),
    "memory_percent": RandomWalk(4, 40, 55),
    "disk_percent": RandomWalk(5, 30, 31),
}
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


class MadeUpEdge:
    """``async with MadeUpEdge("edge-test-001", broker_url) as edge`` runs until the block ends.

    Heartbeats every `heartbeat_s`, one data message every `interval_s`, numbered; what can not be sent is not
    kept. Commands: `ping` succeeds, any other is rejected.
    """

    def __init__(self, edge_id: str, broker_url: str, *, interval_s: float = 1.0, heartbeat_s: float = 30.0) -> None:
        self.edge_id = edge_id
        self.heartbeats = 0
        self.data_messages = 0
        self.commands = 0
        self._interval_s = interval_s
        self._heartbeat_s = heartbeat_s
        self._started_ms = now_ms()
        self._epoch = _base_36(self._started_ms)
        self._tasks: list[asyncio.Task[None]] = []
        farewell = orjson.dumps({"status": "offline", "reason": "connection_lost"})
        self.link = MqttListener(
            broker_url, self._obey, topics=(self._topic("commands"),), will=Will(self._topic("status"), farewell)
        )

    def heartbeat(self) -> dict[str, object]:
        """What the status topic gets."""
        moment = self._moment()
        figures = {name: round(walk.at(moment), 1) for name, walk in _FIGURES.items()}
        return {"status": "online", "ip_address": "127.0.0.1", "timestamp": stamp(), **figures}

    def data(self, seq: int) -> dict[str, object]:
        """What the data topic gets."""
        moment = self._moment()
        values = {name: signal.at(moment) for name, signal in _SIGNALS.items()}
        tags = {name: round(value, 2) if type(value) is float else value for name, value in values.items()}
        meta = {"epoch": self._epoch, "seq": seq}
        return {"timestamp": stamp(), "equipment_id": 1, "connection_id": 1, "tags": tags, "meta": meta}

    async def __aenter__(self) -> Self:
        await self.link.__aenter__()
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(self._say_hello()), loop.create_task(self._send_data())]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._publish("status", {"status": "offline", "reason": "shutdown", "timestamp": stamp()})
        await self.link.__aexit__(kind, error, trace)

    async def _say_hello(self) -> None:
        while True:
            await self.link.connection()
            self.heartbeats += self._publish("status", self.heartbeat())
            await asyncio.sleep(self._heartbeat_s)

    async def _send_data(self) -> None:
        for seq in itertools.count(1):
            while not self._publish("data", self.data(seq)):
                await self.link.connection()
            self.data_messages = seq
            await asyncio.sleep(self._interval_s)

    def _obey(self, topic: str, payload: bytes, received_at_ms: int) -> None:
        try:
            letter = orjson.loads(payload)
        except ValueError:
            letter = None
        if not isinstance(letter, dict):
            return
        self.commands += 1
        pinged = letter.get("command") == "ping"
        uptime_s = (now_ms() - self._started_ms) // 1000
        refusal = {"code": "unsupported", "message": "a made-up edge understands ping only"}
        response = {
            "command_id": letter.get("command_id"),
            "command": letter.get("command"),
            "status": "success" if pinged else "rejected",
            "result": {"version": "made-up", "uptime_sec": uptime_s} if pinged else {},
            "error": None if pinged else refusal,
            "timestamp": stamp(),
            "duration_ms": now_ms() - received_at_ms,
        }
        self._publish("responses", response)

    def _publish(self, kind: str, message: Mapping[str, object]) -> bool:
        return self.link.publish(self._topic(kind), orjson.dumps(message))

    def _topic(self, kind: str) -> str:
        return f"vexplor/devices/{self.edge_id}/{kind}"

    def _moment(self) -> Moment:
        return Moment((now_ms() - self._started_ms) / 1000, 0)


def _base_36(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits or "0"
