"""The simulator's PLC as a process of its own, for machines where `plc.c` can not be built.

Usage: python -m tests.benchmarks.plc_simulator MEMORY LOG, with the meanings of `plc.c`. A request's two times
are the same here: that at which it had come in.
"""

import asyncio
import struct
import sys
import time
from array import array
from pathlib import Path

from simulators.modbus import ModbusPlc, Record, Table, Unit

_LOG_EVERY_S = 0.05


async def _serve(memory: Path, log: Path) -> None:
    content = memory.read_bytes()
    words = struct.unpack(f">{len(content) // 2}H", content)
    layout = {1: Unit(memory={Table.HOLDING: (range(len(words)),)})}
    wall_behind_ns = time.time_ns() - time.monotonic_ns()
    with log.open("ab") as opened:
        async with ModbusPlc(layout) as plc:
            plc.poke(1, Table.HOLDING, 0, words)
            print(plc.port, flush=True)
            while True:
                await asyncio.sleep(_LOG_EVERY_S)
                record, plc.record = plc.record, Record()
                times = (round(at * 1e9) + wall_behind_ns for at in record.arrivals())
                opened.write(array("q", (ns for at in times for ns in (at, at))).tobytes())
                opened.flush()


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1]), Path(sys.argv[2])))
