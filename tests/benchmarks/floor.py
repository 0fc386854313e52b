"""The floor: the same work without any feature, as a bare asyncio loop.

Usage: python -m tests.benchmarks.floor READER BROKER_PORT INTERVAL FIRST WORDS PLC_PORT... Every INTERVAL seconds, the
first time whole seconds or intervals from the wall clock's FIRST (or at once, if it is ``now``), each PLC on its own:
its words as READER reads them, divided by ten, one JSON message with QoS 1. The PLCs are spread over the interval. No
reconnect, no checks, no buffer; answers are taken for right.
"""

import asyncio
import json
import struct
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from itertools import count

from tests.benchmarks import floor_readers
from tests.benchmarks.floor_readers import Read

TOPIC = b"vexplor/devices/floor/data"
_packets = count(1)


def reader(name: str) -> Callable[[int, int], Awaitable[Read]]:
    """What connects to a PLC on a port in order to read so many words of it."""
    if not name.startswith("opcua"):
        return {"modbus_tcp": floor_readers.modbus, "s7": floor_readers.s7, "xgt": floor_readers.xgt}[name]
    from tests.benchmarks import floor_opcua  # its library takes more memory than all the rest

    return {"opcua": floor_opcua.reading, "opcua_changing": floor_opcua.subscribing}[name]


def publish_packet(packet_id: int, payload: bytes) -> bytes:
    """An MQTT 3.1.1 PUBLISH with QoS 1."""
    body = struct.pack(">H", len(TOPIC)) + TOPIC + struct.pack(">H", packet_id) + payload
    size, encoded = len(body), b""
    while size > 127:
        size, digit = size >> 7, size & 127 | 128
        encoded += bytes([digit])
    return b"\x32" + encoded + bytes([size]) + body


async def connect_broker(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """An MQTT 3.1.1 connection without keep-alive."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"\x10\x11\x00\x04MQTT\x04\x02\x00\x00\x00\x05floor")
    await reader.readexactly(4)
    return reader, writer


async def poll(
    number: int, read: Read, words: int, due: float, interval_s: float, broker: asyncio.StreamWriter
) -> None:
    """One PLC, for ever."""
    names = [f"temperature_{tag:04d}" for tag in range(words)]
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(due - loop.time())
        values = await read()
        stamp = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        body = {"timestamp": stamp, "connection_id": number, "tags": dict(zip(names, values, strict=True))}
        broker.write(publish_packet(next(_packets) % 65_535 + 1, json.dumps(body).encode()))
        due += interval_s


async def main(name: str, broker_port: int, interval_s: float, begin: str, words: int, ports: Sequence[int]) -> None:
    """Poll and publish for ever."""
    acknowledgements, broker = await connect_broker(broker_port)
    reads = [await reader(name)(port, words) for port in ports]
    loop = asyncio.get_running_loop()
    first = loop.time() + (0.0 if begin == "now" else (float(begin) - time.time()) % max(1.0, interval_s))
    async with asyncio.TaskGroup() as tasks:
        for number, read in enumerate(reads, 1):
            due = first + (number - 1) * interval_s / len(ports)
            tasks.create_task(poll(number, read, words, due, interval_s, broker))
        while await acknowledgements.read(4096):
            pass


if __name__ == "__main__":
    asked, broker_port, interval_s, begin, words, *ports = sys.argv[1:]
    asyncio.run(main(asked, int(broker_port), float(interval_s), begin, int(words), [int(port) for port in ports]))
