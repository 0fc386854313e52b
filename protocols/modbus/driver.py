"""Modbus TCP for the registry."""

from collections.abc import Mapping, Sequence

from protocols import grammars
from protocols.base import NO_LESSONS, Lessons, TagSpec
from protocols.modbus.connection import DEFAULT_PORT, ModbusTcpConnection, read_connection
from protocols.modbus.points import ModbusPoint, place
from protocols.modbus.requests import ModbusRequest, plan_requests
from protocols.modbus.session import ModbusTcpSession
from protocols.tcp import dial


class ModbusTcpDriver:
    """Reads coils, discrete inputs, input and holding registers; function codes 1 to 4 and no other."""

    protocol: str = "modbus_tcp"
    default_port: int | None = DEFAULT_PORT

    def connection(self, fields: Mapping[str, object], timeout_s: float) -> ModbusTcpConnection:
        """Check `host`, `port`, `unit_id`, `max_registers`, `max_bits`, `max_gap`. Raises `Refused`."""
        return read_connection(fields, timeout_s)

    def fits(self, address: str) -> bool:
        """Whether it is written like a Modbus address, in range or not."""
        return grammars.fits(self.protocol, address)

    def point(self, tag: TagSpec, connection: ModbusTcpConnection) -> ModbusPoint:
        """Place a tag. A BOOL on a register without a bit is whether the register is not zero."""
        return place(tag, connection)

    def compile(
        self,
        connection: ModbusTcpConnection,
        points: Sequence[ModbusPoint],
        lessons: Lessons = NO_LESSONS,
    ) -> tuple[ModbusRequest, ...]:
        """The fewest requests that read all points but those in `lessons.avoid`."""
        return plan_requests(connection, points, lessons)

    async def connect(self, connection: ModbusTcpConnection) -> ModbusTcpSession:
        """Open a TCP connection. Units behind one address may share it."""
        return await dial(
            connection.host, connection.port, connection.timeout_s, lambda: ModbusTcpSession(connection.at)
        )
