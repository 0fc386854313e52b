"""The floor: the same work without any feature, as a bare asyncio loop.

Usage: python floor.py PLC_PORT BROKER_PORT INTERVAL PHASE. Every INTERVAL seconds, first PHASE seconds after a full
second (or at once, if it is ``now``): 8 reads of 125 registers, divided by ten, one JSON message with QoS 1. No
reconnect, no checks, no buffer; answers are taken for right.
"""

import asyncio
import json
import struct
import sys
import time
from datetime import UTC, datetime

REQUESTS, REGISTERS = 8, 125
NAMES = [f"temperature_{number:04d}" for number in range(REQUESTS * REGISTERS)]
TOPIC = b"vexplor/devices/floor/data"
QUESTIONS = [
    struct.pack(">HHHBBHH", number + 1, 0, 6, 1, 3, number * REGISTERS, REGISTERS) for number in range(REQUESTS)
]
ANSWER = struct.Struct(f">{REGISTERS}H")
ANSWER_HEAD = 9


async def read_all(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> list[float]:
    """One poll."""
    values: list[float] = []
    for question in QUESTIONS:
        writer.write(question)
        answer = await reader.readexactly(ANSWER_HEAD + ANSWER.size)
        values += [raw / 10 for raw in ANSWER.unpack_from(answer, ANSWER_HEAD)]
    return values


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


async def main(plc_port: int, broker_port: int, interval_s: float, phase: str) -> None:
    """Poll and publish for ever."""
    plc_reader, plc_writer = await asyncio.open_connection("127.0.0.1", plc_port)
    broker_reader, broker_writer = await connect_broker(broker_port)
    loop = asyncio.get_running_loop()
    due = loop.time() + (0.0 if phase == "now" else (float(phase) - time.time()) % 1)
    packet_id = 0
    while True:
        await asyncio.sleep(due - loop.time())
        values = await read_all(plc_reader, plc_writer)
        stamp = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        body = {"timestamp": stamp, "connection_id": 1, "tags": dict(zip(NAMES, values, strict=True))}
        packet_id = packet_id % 65_535 + 1
        broker_writer.write(publish_packet(packet_id, json.dumps(body).encode()))
        await broker_reader.readexactly(4)
        due += interval_s


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), sys.argv[4]))
