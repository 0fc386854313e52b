"""The floor: the same work without any feature, as a bare asyncio loop.

Usage: python floor.py BROKER_PORT INTERVAL PHASE REGISTERS PLC_PORT... Every INTERVAL seconds, first PHASE seconds
after a full second (or at once, if it is ``now``), each PLC on its own: reads of up to 125 registers, divided by ten,
one JSON message with QoS 1. The PLCs are spread over the interval. No reconnect, no checks, no buffer; answers are
taken for right.
"""

import asyncio
import json
import struct
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import count

MOST = 125
TOPIC = b"vexplor/devices/floor/data"
ANSWER_HEAD = 9
_packets = count(1)


async def read_all(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, questions: Sequence[tuple[bytes, struct.Struct]]
) -> list[float]:
    """One poll."""
    values: list[float] = []
    for question, form in questions:
        writer.write(question)
        answer = await reader.readexactly(ANSWER_HEAD + form.size)
        values += [raw / 10 for raw in form.unpack_from(answer, ANSWER_HEAD)]
    return values


def questions_for(registers: int) -> list[tuple[bytes, struct.Struct]]:
    """The requests for this many holding registers, each with the form of its answer."""
    sizes = [min(MOST, registers - first) for first in range(0, registers, MOST)]
    return [
        (struct.pack(">HHHBBHH", number + 1, 0, 6, 1, 3, number * MOST, size), struct.Struct(f">{size}H"))
        for number, size in enumerate(sizes)
    ]


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
    number: int, port: int, registers: int, due: float, interval_s: float, broker: asyncio.StreamWriter
) -> None:
    """One PLC, for ever."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    names, questions = [f"temperature_{tag:04d}" for tag in range(registers)], questions_for(registers)
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(due - loop.time())
        values = await read_all(reader, writer, questions)
        stamp = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        body = {"timestamp": stamp, "connection_id": number, "tags": dict(zip(names, values, strict=True))}
        broker.write(publish_packet(next(_packets) % 65_535 + 1, json.dumps(body).encode()))
        due += interval_s


async def main(broker_port: int, interval_s: float, phase: str, registers: int, ports: Sequence[int]) -> None:
    """Poll and publish for ever."""
    acknowledgements, broker = await connect_broker(broker_port)
    loop = asyncio.get_running_loop()
    first = loop.time() + (0.0 if phase == "now" else (float(phase) - time.time()) % 1)
    async with asyncio.TaskGroup() as tasks:
        for number, port in enumerate(ports, 1):
            due = first + (number - 1) * interval_s / len(ports)
            tasks.create_task(poll(number, port, registers, due, interval_s, broker))
        while await acknowledgements.read(4096):
            pass


if __name__ == "__main__":
    asyncio.run(
        main(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3], int(sys.argv[4]), [int(port) for port in sys.argv[5:]])
    )
