"""Simulated devices as a process of their own: words from 0 on, whose readings differ.

Usage: python -m tests.benchmarks.devices PROTOCOL DEVICES WORDS. Its first line has the ports.
"""

import asyncio
import resource
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from math import sin
from random import Random
from struct import pack

from simulators.modbus import ModbusPlc, Table, Unit
from simulators.opcua.layout import Node
from simulators.opcua.plc import OpcUaPlc
from simulators.s7 import Area, Block, S7Plc
from simulators.signals import Constant, Moment, Signal
from simulators.xgt import Memory, XgtPlc
from tests.benchmarks.tags import DB, READINGS, opcua_path, reading, renewed_every_s, turn

_CERTAINLY_PAST_S = 0.001  # a sleep may end a little early


def _modbus_plc(words: int) -> ModbusPlc:
    return ModbusPlc({1: Unit(memory={Table.HOLDING: (range(words),)})})


@asynccontextmanager
async def _modbus(words: int) -> AsyncIterator[int]:
    async with _modbus_plc(words) as plc:
        plc.poke(1, Table.HOLDING, 0, [reading(number) for number in range(words)])
        yield plc.port


@asynccontextmanager
async def _moving(words: int) -> AsyncIterator[int]:
    """Readings that drift and tremble, as those of a process do."""
    async with _modbus_plc(words) as plc, asyncio.TaskGroup() as tasks:
        stirring = tasks.create_task(_stir(plc, words))
        yield plc.port
        stirring.cancel()


async def _stir(plc: ModbusPlc, words: int) -> None:
    chance = Random(1)
    while True:
        turn = time.monotonic() / 60
        drift = [int(500 * (1 + sin(turn + number))) for number in range(words)]
        plc.poke(
            1, Table.HOLDING, 0, [reading(n) % 5_000 + moved + chance.randrange(4) for n, moved in enumerate(drift)]
        )
        await asyncio.sleep(0.5)


@asynccontextmanager
async def _s7(words: int) -> AsyncIterator[int]:
    async with S7Plc({(Area.DB, DB): Block(2 * words)}) as plc:
        plc.poke(Area.DB, DB, 0, pack(f">{words}H", *map(reading, range(words))))
        yield plc.port


@asynccontextmanager
async def _xgt(words: int) -> AsyncIterator[int]:
    async with XgtPlc(Memory()) as plc:
        plc.memory.poke("D", 0, pack(f"<{words}H", *map(reading, range(words))))
        yield plc.port


@asynccontextmanager
async def _opcua(words: int) -> AsyncIterator[int]:
    plc = OpcUaPlc(_nodes(Constant(reading(number)) for number in range(words)))
    plc.faults.frozen = True  # thousands of nodes renewed every 0.1 s would leave it no time to answer
    async with plc:
        yield plc.port


@asynccontextmanager
async def _opcua_changing(words: int) -> AsyncIterator[int]:
    """All nodes get another value every now and then."""
    plc = OpcUaPlc(_nodes(_Turns(reading(number), renewed_every_s(words)) for number in range(words)))
    plc.faults.frozen = True
    async with plc, asyncio.TaskGroup() as tasks:
        renewing = tasks.create_task(_renew(plc, renewed_every_s(words)))
        yield plc.port
        renewing.cancel()


async def _renew(plc: OpcUaPlc, every_s: float) -> None:
    while True:
        await asyncio.sleep(every_s - time.time() % every_s + _CERTAINLY_PAST_S)
        await plc.renew()


@dataclass(frozen=True, slots=True)
class _Turns:
    """Counts the spans of the wall clock, from a start of its own, so that a value tells when it was made."""

    base: int
    span_s: float

    def at(self, _moment: Moment) -> int:
        return (self.base + turn(time.time(), self.span_s)) % READINGS


def _nodes(signals: Iterable[Signal]) -> list[Node]:
    return [Node(f"w{n}", opcua_path(n), "UInt16", (signal,)) for n, signal in enumerate(signals)]


_DEVICES: dict[str, Callable[[int], AbstractAsyncContextManager[int]]] = {
    "modbus_tcp": _modbus,
    "moving": _moving,
    "s7": _s7,
    "xgt": _xgt,
    "opcua": _opcua,
    "opcua_changing": _opcua_changing,
}


async def _serve(protocol: str, devices: int, words: int) -> None:
    async with AsyncExitStack() as stack:
        ports = [await stack.enter_async_context(_DEVICES[protocol](words)) for _ in range(devices)]
        print(*ports, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    _, most_files = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most_files, most_files))  # two for each device
    asyncio.run(_serve(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
