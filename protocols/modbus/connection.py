"""Where a Modbus TCP device is, and how much it may be asked for at once."""

from collections.abc import Mapping
from dataclasses import dataclass

from protocols.connection_fields import ConnectionFields

DEFAULT_PORT = 502
MAX_REGISTERS = 125
MAX_BITS = 2000

# Reading on over registers that nobody wants costs two bytes each, a request of its own 12 bytes out and 9 back,
# over 100 more of Ethernet, IP and TCP headers, and a turn of the PLC's scan: far more than 64 bytes. Not
# more than that, though, for a gap may hold addresses that the device refuses, and each costs a search.
AUTO_GAP = 32


@dataclass(frozen=True, slots=True)
class ModbusTcpConnection:
    """A checked `connection`. `max_gap` is in registers; in tables of bits, 16 bits count as one."""

    host: str
    port: int
    unit_id: int
    max_registers: int
    max_bits: int
    max_gap: int
    timeout_s: float

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


def read_connection(fields: Mapping[str, object], timeout_s: float) -> ModbusTcpConnection:
    """Check a document's `connection`. Raises `Refused` on the field that can not be used."""
    read = ConnectionFields(fields)
    return ModbusTcpConnection(
        host=read.host(),
        port=read.whole(("port",), default=DEFAULT_PORT, least=1, most=65_535),
        unit_id=read.whole(("unit_id", "slave_id", "station"), default=1, least=0, most=255),
        max_registers=read.whole(("max_registers",), default=MAX_REGISTERS, least=1, most=MAX_REGISTERS),
        max_bits=read.whole(("max_bits",), default=MAX_BITS, least=1, most=MAX_BITS),
        max_gap=AUTO_GAP
        if read.word("max_gap") == "auto"
        else read.whole(("max_gap",), default=AUTO_GAP, least=0, most=MAX_REGISTERS),
        timeout_s=timeout_s,
    )
