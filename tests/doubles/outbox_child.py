"""A process that records messages until it is killed: says on its standard output what is safe by now.

Lines: ``begin EPOCH``, ``safe SEQ`` (everything up to it is committed), ``done EPOCH SEQ`` (about to be acknowledged).
"""

import asyncio
import os
import sys
from pathlib import Path

from collector.clock import SystemClock
from collector.delivery.message import Message
from collector.delivery.outbox import Outbox
from collector.status.board import Board


def say(line: str) -> None:
    os.write(1, f"{line}\n".encode())


async def record_for_ever(folder: Path) -> None:
    clock = SystemClock()
    async with Outbox.open(
        folder,
        commit_ms=2,
        limit_bytes=1 << 30,
        clock=clock,
        board=Board(clock),
        mark_buffered=lambda payload: payload + b"!",
        event_letter=lambda _kind, _fields: None,
    ) as outbox:
        say(f"begin {outbox.epoch}")
        while True:
            for _ in range(20):
                seq = outbox.next_seq()
                payload = f"{outbox.epoch}:{seq}:".encode() + os.urandom(100).hex().encode()
                outbox.put(Message("t/data", payload), seq=seq, stamp_ms=clock.wall_ms())
            await outbox.commit()
            say(f"safe {seq}")
            for _ in range(5):
                if (entry := outbox.take()) is not None:
                    say(f"done {entry.epoch} {entry.seq}")
                    if (entry.seq or 0) % 50:
                        outbox.acknowledge(entry)
                    else:
                        outbox.refuse(entry, "every fiftieth")
            await asyncio.sleep(0)


if __name__ == "__main__":
    asyncio.run(record_for_ever(Path(sys.argv[1])))
