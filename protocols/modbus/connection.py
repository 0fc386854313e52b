"""Where a Modbus device is, and how much it may be asked for at once."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from protocols.base import Connection
from protocols.connection_fields import ConnectionFields, quoted
from protocols.errors import Refused

DEFAULT_PORT = 502
MAX_REGISTERS = 125
MAX_BITS = 2000
MOST_IN_FLIGHT = 16
"""As many transactions as Modbus's own guide for implementers speaks of."""

# Reading on over registers that nobody wants costs two bytes each, a request of its own 12 bytes out and 9 back,
# over 100 more of Ethernet, IP and TCP headers, and a turn of the PLC's scan: far more than 64 bytes. Not
# more than that, though, for a gap may hold addresses that the device refuses, and each costs a search.
AUTO_GAP = 32

# On a serial line a request costs 13 bytes, two silences of 3.5 characters and the device's own time to think.
AUTO_GAP_SERIAL = 16

_UNIT_NAMES = ("unit_id", "slave_id", "station")
_BAUD_RATES = (300, 4_000_000)
_FASTEST_MEASURED_SILENCE = 19_200  # bit/s; above it the specification fixes the silence
_LEAST_SILENCE_S = 0.00175
_SILENT_CHARACTERS = 3.5
_PARITIES = {"n": "N", "none": "N", "e": "E", "even": "E", "o": "O", "odd": "O"}
_PORT = re.compile(r"/\S+")


class ModbusConnection(Connection, Protocol):
    """A checked `connection`. `max_gap` is in registers; in tables of bits, 16 bits count as one."""

    @property
    def unit_id(self) -> int: ...

    @property
    def max_registers(self) -> int: ...

    @property
    def max_bits(self) -> int: ...

    @property
    def max_gap(self) -> int: ...


@dataclass(frozen=True, slots=True)
class ModbusTcpConnection:
    """A device on TCP. `max_in_flight`: how many questions it takes before it has answered the first."""

    host: str
    port: int
    unit_id: int
    max_registers: int
    max_bits: int
    max_gap: int
    timeout_s: float
    max_in_flight: int = 1

    @property
    def link(self) -> tuple[str | int, ...]:
        """Units behind one address share the wire."""
        return ("modbus_tcp", self.host, self.port)

    @property
    def at(self) -> str:
        """Host and port, for messages about the wire."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def where(self) -> str:
        """For messages about the device: ``192.168.1.10:2004 unit 1``."""
        return f"{self.at} unit {self.unit_id}"


@dataclass(frozen=True, slots=True)
class ModbusRtuTcpConnection(ModbusTcpConnection):
    """A device behind a serial device server, which passes serial frames on as they are."""

    @property
    def link(self) -> tuple[str | int, ...]:
        """Units behind one address share the wire."""
        return ("modbus_rtu_tcp", self.host, self.port)


@dataclass(frozen=True, slots=True)
class SerialLine:
    """A serial port and how it is set; 8 data bits always. `parity` is N, E or O."""

    port: str
    baudrate: int
    parity: str
    stopbits: int

    @property
    def character_s(self) -> float:
        """How long one byte takes: a start bit, 8 of data, parity, stop bits."""
        return (9 + (self.parity != "N") + self.stopbits) / self.baudrate

    @property
    def silence_s(self) -> float:
        """How long the line must be silent between two frames."""
        if self.baudrate > _FASTEST_MEASURED_SILENCE:
            return _LEAST_SILENCE_S
        return _SILENT_CHARACTERS * self.character_s


@dataclass(frozen=True, slots=True)
class ModbusRtuConnection:
    """A device on a serial line of this machine."""

    line: SerialLine
    unit_id: int
    max_registers: int
    max_bits: int
    max_gap: int
    timeout_s: float

    @property
    def link(self) -> tuple[str | int, ...]:
        """Units on one line share it. Other settings make another line, which the port then refuses by name."""
        return ("modbus_rtu", self.line.port, self.line.baudrate, self.line.parity, self.line.stopbits)

    @property
    def host(self) -> None:
        """Nothing is dialled."""

    @property
    def where(self) -> str:
        """For messages about the device: ``/dev/ttyUSB0 unit 1``."""
        return f"{self.line.port} unit {self.unit_id}"


def read_connection(fields: Mapping[str, object], timeout_s: float) -> ModbusTcpConnection:
    """Check the `connection` of a device on TCP. Raises `Refused` on the field that can not be used."""
    read = ConnectionFields(fields)
    return ModbusTcpConnection(
        host=read.host(),
        port=_port(read),
        unit_id=read.whole(_UNIT_NAMES, default=1, least=0, most=255),
        max_registers=_max_registers(read),
        max_bits=_max_bits(read),
        max_gap=_max_gap(read, AUTO_GAP),
        timeout_s=timeout_s,
        max_in_flight=read.whole(("max_in_flight",), default=1, least=1, most=MOST_IN_FLIGHT),
    )


def read_rtu_tcp_connection(fields: Mapping[str, object], timeout_s: float) -> ModbusRtuTcpConnection:
    """Check the `connection` of a device behind a serial device server. Raises `Refused` as above."""
    read = ConnectionFields(fields)
    return ModbusRtuTcpConnection(
        host=read.host(),
        port=_port(read),
        unit_id=_serial_unit(read),
        max_registers=_max_registers(read),
        max_bits=_max_bits(read),
        max_gap=_max_gap(read, AUTO_GAP_SERIAL),
        timeout_s=timeout_s,
    )


def read_rtu_connection(fields: Mapping[str, object], timeout_s: float) -> ModbusRtuConnection:
    """Check the `connection` of a device on a serial line. Raises `Refused` as above."""
    read = ConnectionFields(fields)
    read.whole(("bytesize",), default=8, least=8, most=8)
    return ModbusRtuConnection(
        line=SerialLine(
            port=_serial_port(read),
            baudrate=read.whole(("baudrate", "baud_rate"), default=9600, least=_BAUD_RATES[0], most=_BAUD_RATES[1]),
            parity=_PARITIES[read.choice("parity", default="N", choices=tuple(_PARITIES))],
            stopbits=read.whole(("stopbits",), default=1, least=1, most=2),
        ),
        unit_id=_serial_unit(read),
        max_registers=_max_registers(read),
        max_bits=_max_bits(read),
        max_gap=_max_gap(read, AUTO_GAP_SERIAL),
        timeout_s=timeout_s,
    )


def _port(read: ConnectionFields) -> int:
    return read.whole(("port",), default=DEFAULT_PORT, least=1, most=65_535)


def _serial_unit(read: ConnectionFields) -> int:
    """0 is to all units, which none may answer, and from 248 on the numbers are reserved."""
    return read.whole(_UNIT_NAMES, default=1, least=1, most=247)


def _serial_port(read: ConnectionFields) -> str:
    given = read.text("serial_port", "device")
    if given is None:
        raise Refused("serial_port", "connection.serial_port is missing; expected the line's device, e.g. /dev/ttyUSB0")
    if not _PORT.fullmatch(given) or ".." in given:
        raise Refused("serial_port", f"connection.serial_port is {quoted(given)}; expected a path like /dev/ttyUSB0")
    return given


def _max_registers(read: ConnectionFields) -> int:
    return read.whole(("max_registers",), default=MAX_REGISTERS, least=1, most=MAX_REGISTERS)


def _max_bits(read: ConnectionFields) -> int:
    return read.whole(("max_bits",), default=MAX_BITS, least=1, most=MAX_BITS)


def _max_gap(read: ConnectionFields, auto: int) -> int:
    if read.word("max_gap") == "auto":
        return auto
    return read.whole(("max_gap",), default=auto, least=0, most=MAX_REGISTERS)
