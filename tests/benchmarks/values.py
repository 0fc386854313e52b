"""What one value costs on its way through decoding and encoding; the floor is what the bare loop does instead."""

import json
import struct
import time
from collections.abc import Callable, Sequence
from decimal import Decimal

from collector.config.plan import DevicePlan
from collector.delivery.encode import ScanEncoder
from collector.polling.scan import Scan
from protocols.base import Cycle, DataType, TagSpec
from protocols.layout import WIDTHS
from protocols.modbus.driver import ModbusTcpDriver
from protocols.modbus.requests import ModbusRequest
from tests.benchmarks.figures import Figure
from tests.benchmarks.tags import TAGS, measured_singles, rounded_singles, words

_ROUNDS = 7
_DRIVER = ModbusTcpDriver()
_CONNECTION = _DRIVER.connection({"host": "127.0.0.1"}, 3.0)
_NAMES = tuple(f"temperature_{number:04d}" for number in range(TAGS))


def measure(seconds: float) -> list[Figure]:
    """Nanoseconds a value; each figure takes about this long."""
    integers, rounded, measured = words(TAGS), rounded_singles(TAGS), measured_singles(TAGS)
    halves = struct.unpack(f">{TAGS}H", integers)
    plain, tenths = list(halves), [raw / 10 for raw in halves]
    return [
        _decoding("UINT16", DataType.UINT16, "1", integers, seconds),
        _decoding("UINT16 × 0.1", DataType.UINT16, "0.1", integers, seconds),
        _decoding("FLOAT32 of two decimals", DataType.FLOAT32, "1", rounded, seconds),
        _decoding("FLOAT32 of two decimals × 0.1", DataType.FLOAT32, "0.1", rounded, seconds),
        _decoding("FLOAT32 of all bits", DataType.FLOAT32, "1", measured, seconds),
        _decoding("FLOAT32 of all bits × 0.1", DataType.FLOAT32, "0.1", measured, seconds),
        _encoding("integers", plain, seconds),
        _encoding("numbers with decimals", tenths, seconds),
    ]


def _decoding(name: str, data_type: DataType, scale: str, memory: bytes, seconds: float) -> Figure:
    blocks = []
    for request in _requests(data_type, scale):
        size = request.question.byte_count
        block, memory = memory[:size], memory[size:]
        blocks.append((request.decoder, block))

    def decode() -> None:
        cycle = Cycle([None] * TAGS)
        for decoder, block in blocks:
            decoder.decode(block, cycle)

    code = "H" if data_type is DataType.UINT16 else "f"
    bare = [(struct.Struct(f">{len(block) // struct.calcsize(code)}{code}"), block) for _, block in blocks]

    def unpack() -> list[float]:
        return [raw / 10 for form, block in bare for raw in form.unpack(block)]

    return _figure("decoding", name, decode, unpack, seconds)


def _encoding(name: str, values: Sequence[float], seconds: float) -> Figure:
    plan = DevicePlan("1", "PLC", "modbus_tcp", _CONNECTION, (), _NAMES, 1, None, 0.0)
    scan = Scan(plan, 1_776_412_800_123, _NAMES, list(values), {})
    encoder = ScanEncoder(
        topic=lambda: "vexplor/devices/edge/data", epoch="mi4k2x9a", next_seq=lambda: 1, meta=True, send_empty=False
    )

    def dump() -> bytes:
        return json.dumps({"connection_id": 1, "tags": dict(zip(_NAMES, values, strict=True))}).encode()

    return _figure("encoding", name, lambda: encoder.messages(scan), dump, seconds)


def _requests(data_type: DataType, scale: str) -> tuple[ModbusRequest, ...]:
    width = WIDTHS[data_type] // 2
    tags = (
        TagSpec(name=name, address=str(40001 + width * number), data_type=data_type, scale=Decimal(scale))
        for number, name in enumerate(_NAMES)
    )
    return _DRIVER.compile(_CONNECTION, [_DRIVER.point(tag, _CONNECTION) for tag in tags])


def _figure(subject: str, name: str, ours: Callable[[], object], bare: Callable[[], object], seconds: float) -> Figure:
    mine, floor = [], []
    for _ in range(_ROUNDS):
        mine.append(_ns_a_value(ours, seconds / 2 / _ROUNDS))
        floor.append(_ns_a_value(bare, seconds / 2 / _ROUNDS))
    return Figure(subject, name, "ns/value", tuple(mine), None, tuple(floor))


def _ns_a_value(work: Callable[[], object], seconds: float) -> float:
    rounds, begun = 0, time.perf_counter()
    while (passed := time.perf_counter() - begun) < seconds:
        work()
        rounds += 1
    return passed * 1e9 / (rounds * TAGS)
