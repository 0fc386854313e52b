"""The devices to measure with: their tags, and the registers that their PLC holds."""

import json
import random
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

TAGS = 1_000
DB = 1
"""The S7 block that words are in."""
READINGS = 65_536
"""A 16-bit word has as many."""
_NODES_A_FOLDER = 250


@dataclass(frozen=True, slots=True)
class Variant:
    """A device's tags and how often they are polled: in holding registers from 40001 on, where `memory` has some.

    Without, it is one of `tests.benchmarks.devices`. One that is `told` is not polled: it tells by itself of its
    values, which all change once an interval.
    """

    name: str
    tags: tuple[dict[str, object], ...]
    memory: bytes
    interval_ms: int = 1000
    protocol: str = "modbus_tcp"
    connection: Mapping[str, object] = field(default_factory=lambda: {"unit_id": 1})
    told: bool = False

    @property
    def interval_s(self) -> float:
        """Seconds from poll to poll."""
        return self.interval_ms / 1000

    @property
    def simulator(self) -> str:
        """What it is called in `tests.benchmarks.devices`."""
        return f"{self.protocol}_changing" if self.told else self.protocol

    @property
    def registers(self) -> int:
        """How many words its tags take."""
        return len(self.memory) // 2 or len(self.tags)

    def device(self, device_id: str, host: str, port: int) -> dict[str, object]:
        """The document's entry for it."""
        return {
            "id": device_id,
            "name": f"프레스_PLC_{device_id}",
            "protocol": self.protocol,
            "connection": {"host": host, "port": port, **self.connection},
            "interval_ms": self.interval_ms,
            "tags": self.tags,
        }


def document(edge_id: str, *devices: dict[str, object]) -> bytes:
    """A config document with these devices."""
    fields = {"version": "1", "edge_id": edge_id, "edge_name": "측정 엣지", "devices": devices}
    return json.dumps(fields, ensure_ascii=False).encode()


def tag(number: int, address: int | str, data_type: str, scale: float = 1) -> dict[str, object]:
    """An entry of the document's tag list."""
    name = f"temperature_{number:04d}"
    return {"name": name, "address": str(address), "data_type": data_type, "scale": scale, "offset": 0}


def reading(number: int) -> int:
    """What word `number` of a simulated device says: another one each, of up to four digits."""
    return number * 7919 % 10_000


def opcua_path(word: int) -> str:
    """Which node a word is. Adding one takes the server as long as its folder is large."""
    return f"Line{word // _NODES_A_FOLDER}.W{word}"


def renewed_every_s(words: int) -> float:
    """How often all nodes of the changing OPC-UA server get another value: a large one is busy with it for seconds."""
    return max(1.0, words / 2_000)


def turn(at_s: float, span_s: float) -> int:
    """Which span of the wall clock a moment is in: what the changing nodes add to their readings."""
    return int(at_s // span_s)


def words(count: int) -> bytes:
    """Registers with readings of up to four digits, the same ones in every run."""
    readings = random.Random(1)
    return struct.pack(f">{count}H", *(readings.randrange(10_000) for _ in range(count)))


def rounded_singles(count: int) -> bytes:
    """FLOAT32 as a PLC's program sets them: with two decimals."""
    readings = random.Random(2)
    return struct.pack(f">{count}f", *(readings.randrange(100_000) / 100 for _ in range(count)))


def measured_singles(count: int) -> bytes:
    """FLOAT32 as an analogue input gives them: every bit of the mantissa in use."""
    readings = random.Random(3)
    return struct.pack(f">{count}f", *(readings.uniform(0, 1000) for _ in range(count)))


def uint16(count: int = TAGS, scale: float = 0.1, interval_ms: int = 1000) -> Variant:
    """So many registers, a tag each."""
    tags = tuple(tag(n, 40001 + n, "UINT16", scale) for n in range(count))
    return Variant("UINT16" if scale == 1 else f"UINT16 × {scale:g}", tags, words(count), interval_ms)


def half_float32() -> Variant:
    """Half of the tags FLOAT32: of these one half as a program sets them, one as an analogue input gives them."""
    half = TAGS // 2
    integers = [tag(n, 40001 + n, "UINT16", 0.1) for n in range(half)]
    singles = [tag(half + n, 40001 + half + 2 * n, "FLOAT32", 0.1) for n in range(half)]
    memory = words(half) + rounded_singles(half // 2) + measured_singles(half - half // 2)
    return Variant("½ UINT16 × 0.1, ½ FLOAT32 × 0.1", (*integers, *singles), memory)


VARIANTS = (uint16(scale=1), uint16(), half_float32())
