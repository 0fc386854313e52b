"""The simulator's PLCs as a process of their own, for machines where `plc.c` can not be built.

Usage: python -m tests.benchmarks.plc_simulator MEMORY LOG COUNT, with the meanings of `plc.c`. A request's two times
are the same here: that at which it had come in.
"""

import asyncio
import struct
import sys
import time
from array import array
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from simulators.modbus import ModbusPlc, Record, Table, Unit

_LOG_EVERY_S = 0.05


async def _serve(memory: Path, log: Path, many: int) -> None:
    content = memory.read_bytes()
    words = struct.unpack(f">{len(content) // 2}H", content)
    wall_behind_ns = time.time_ns() - time.monotonic_ns()
    with log.open("ab") as opened:
        async with AsyncExitStack() as stack:
            plcs = [await stack.enter_async_context(_plc(len(words))) for _ in range(many)]
            for plc in plcs:
                plc.poke(1, Table.HOLDING, 0, words)
            print(*(plc.port for plc in plcs), flush=True)
            while True:
                await asyncio.sleep(_LOG_EVERY_S)
                opened.write(array("q", _requests(plcs, wall_behind_ns)).tobytes())
                opened.flush()


def _plc(words: int) -> ModbusPlc:
    return ModbusPlc({1: Unit(memory={Table.HOLDING: (range(words),)})})


def _requests(plcs: Sequence[ModbusPlc], wall_behind_ns: int) -> Iterator[int]:
    for number, plc in enumerate(plcs):
        record, plc.record = plc.record, Record()
        for at_s in record.arrivals():
            at_ns = round(at_s * 1e9) + wall_behind_ns
            yield from (number, at_ns, at_ns)


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])))
