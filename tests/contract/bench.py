"""What the contract suite must know of a protocol. A new driver joins with one class here and its name in `BENCHES`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from protocols.base import (
    ByteOrder,
    Connection,
    Cycle,
    DataType,
    PlcDriver,
    PlcSession,
    Request,
    TagSpec,
    Value,
)
from protocols.pipelining import Pipelining
from protocols.registry import driver
from tests.doubles import s7_device
from tests.doubles.modbus_device import (
    IMPOSTORS,
    RTU_IMPOSTORS,
    ModbusDevice,
    ModbusRtuDevice,
    ModbusSerialDevice,
)
from tests.doubles.opcua_device import IMPOSTORS as OPCUA_IMPOSTORS
from tests.doubles.opcua_device import OpcUaDevice
from tests.doubles.scripted_device import Script, ScriptedDevice
from tests.doubles.xgt_device import IMPOSTORS as XGT_IMPOSTORS
from tests.doubles.xgt_device import XgtDevice


class Bench(Protocol):
    """A driver and a device that speaks its protocol, with 16-bit words numbered from 0."""

    driver: PlcDriver
    byte_addressed: bool
    """Whether an address names a byte, so that a smaller type or a bit is at an address of its own."""

    @property
    def impostors(self) -> Mapping[str, Script]:
        """Answers, by what is wrong with them, that must never give a value to a read of three words."""
        ...

    @property
    def device(self) -> ScriptedDevice: ...

    def fields(self) -> dict[str, object]:
        """The `connection` object of the running device."""
        ...

    def word(self, number: int, bit: int | None = None) -> str:
        """The address of a word, or of a bit in it, 0 the least."""
        ...

    def put(self, number: int, words: Sequence[int]) -> None:
        """Set words of the device."""
        ...

    def text(self, raw: bytes, length: int) -> bytes:
        """The bytes in which a STRING of at most `length` stands whose own bytes are `raw`."""
        ...

    def remove(self, number: int) -> None:
        """Let the device refuse every read and write of a word."""
        ...

    def refuse_everything(self) -> None:
        """Let the device say that it is unwell, to whatever it is asked."""
        ...


@dataclass(frozen=True, slots=True)
class Judge:
    """All that a `Reader` wants of a bench, where the device is not of our making."""

    driver: PlcDriver


class ModbusBench:
    """Modbus TCP."""

    byte_addressed = False
    impostors = IMPOSTORS

    def __init__(self) -> None:
        self.driver = driver("modbus_tcp")
        self.device = ModbusDevice()

    def fields(self) -> dict[str, object]:
        return {"host": "127.0.0.1", "port": self.device.port, "unit_id": 1}

    def word(self, number: int, bit: int | None = None) -> str:
        return f"HR{number}" if bit is None else f"HR{number}.{bit}"

    def put(self, number: int, words: Sequence[int]) -> None:
        self.device.words[3].update(enumerate(words, number))

    def text(self, raw: bytes, length: int) -> bytes:
        return raw.ljust(length, b"\0")

    def remove(self, number: int) -> None:
        self.device.missing.add(number)

    def refuse_everything(self) -> None:
        self.device.refusal = 4


class ModbusAheadBench(ModbusBench):
    """Modbus TCP with a device that takes four questions at once."""

    def fields(self) -> dict[str, object]:
        return {**super().fields(), "max_in_flight": 4}


class ModbusRtuTcpBench(ModbusBench):
    """Modbus RTU frames on TCP."""

    impostors = RTU_IMPOSTORS

    def __init__(self) -> None:
        self.driver = driver("modbus_rtu_tcp")
        self.device = ModbusRtuDevice()


class ModbusRtuBench(ModbusBench):
    """Modbus RTU on a serial line."""

    impostors = RTU_IMPOSTORS
    device: ModbusSerialDevice

    def __init__(self) -> None:
        self.driver = driver("modbus_rtu")
        self.device = ModbusSerialDevice()

    def fields(self) -> dict[str, object]:
        return {"serial_port": self.device.path, "baudrate": 115_200}


class XgtBench:
    """LS XGT. Words are numbered as in device D."""

    byte_addressed = False
    impostors = XGT_IMPOSTORS

    def __init__(self) -> None:
        self.driver = driver("xgt")
        self.device = XgtDevice()

    def fields(self) -> dict[str, object]:
        return {"host": "127.0.0.1", "port": self.device.port, "family": "xgk"}

    def word(self, number: int, bit: int | None = None) -> str:
        return f"D{number}" if bit is None else f"D{number}.{bit:X}"

    def put(self, number: int, words: Sequence[int]) -> None:
        self.device.put("D", number, words)

    def text(self, raw: bytes, length: int) -> bytes:
        return raw.ljust(length, b"\0")

    def remove(self, number: int) -> None:
        self.device.missing.add(("D", number))

    def refuse_everything(self) -> None:
        self.device.refusal = 0x75


class S7Bench:
    """Siemens S7: the words of DB1."""

    byte_addressed = True
    impostors = s7_device.IMPOSTORS

    def __init__(self) -> None:
        self.driver = driver("s7")
        self.device = s7_device.S7Device()

    def fields(self) -> dict[str, object]:
        return {"host": "127.0.0.1", "port": self.device.port}

    def word(self, number: int, bit: int | None = None) -> str:
        return f"DB1.DBW{2 * number}" if bit is None else f"DB1.DBX{2 * number + 1 - bit // 8}.{bit % 8}"

    def put(self, number: int, words: Sequence[int]) -> None:
        self.device.put(2 * number, b"".join(word.to_bytes(2, "big") for word in words))

    def text(self, raw: bytes, length: int) -> bytes:
        return bytes([length, len(raw)]) + raw.ljust(length, b"\0")

    def remove(self, number: int) -> None:
        self.device.missing.update((2 * number, 2 * number + 1))

    def refuse_everything(self) -> None:
        self.device.refusal = 0x8104


class OpcUaBench:
    """OPC-UA, where a word is a node of type UInt16 and has no bits of its own."""

    byte_addressed = False
    impostors = OPCUA_IMPOSTORS

    def __init__(self) -> None:
        self.driver = driver("opcua")
        self.device = OpcUaDevice()

    def fields(self) -> dict[str, object]:
        return {"host": "127.0.0.1", "port": self.device.port}

    def word(self, number: int, bit: int | None = None) -> str:
        return f"ns=2;i={number}"

    def put(self, number: int, words: Sequence[int]) -> None:
        self.device.words.update(enumerate(words, number))

    def text(self, raw: bytes, length: int) -> bytes:
        return raw

    def remove(self, number: int) -> None:
        self.device.missing.add(number)

    def refuse_everything(self) -> None:
        self.device.unwell = True


WORD_BENCHES = (ModbusBench, ModbusAheadBench, ModbusRtuTcpBench, ModbusRtuBench, S7Bench, XgtBench)
"""Of the protocols that read memory, where the tag says what its bytes mean."""

BENCHES = (*WORD_BENCHES, OpcUaBench)
"""One of every protocol, and of every way to speak it."""

ON_TCP = tuple(bench for bench in BENCHES if bench is not ModbusRtuBench)
NUMBERED = tuple(bench for bench in ON_TCP if bench is not ModbusRtuTcpBench)
"""Those whose answers name their question. Serial frames do not: see `test_modbus_rtu`."""


def spec(address: str, data_type: DataType, order: ByteOrder = ByteOrder.ABCD, **more: object) -> TagSpec:
    """A tag with a name that nobody looks at."""
    return TagSpec("tag", address, data_type, order, **more)  # type: ignore[arg-type]


class Reader:
    """Reads and writes tags of a device through one session."""

    def __init__(self, bench: Bench | Judge, connection: Connection) -> None:
        self._driver = bench.driver
        self.connection = connection
        self.session: PlcSession

    async def open(self) -> None:
        """Connect anew."""
        self.session = await self._driver.connect(self.connection)

    def requests(self, *tags: TagSpec) -> tuple[Request, ...]:
        """The requests for these tags."""
        return self._driver.compile(self.connection, [self._driver.point(tag, self.connection) for tag in tags])

    async def read(self, *tags: TagSpec) -> Cycle:
        """One poll cycle of these tags."""
        cycle = Cycle([None] * len(tags))
        requests = self.requests(*tags)
        if isinstance(self.session, Pipelining):
            self.session.announce(self.connection, requests)
        for request in requests:
            await self.session.read(request, cycle)
        return cycle

    async def write(self, tag: TagSpec, value: Value) -> None:
        """Write one tag."""
        point = self._driver.point(tag, self.connection)
        await self.session.write(self._driver.encode(self.connection, point, value))
