"""Modbus for the registry: on TCP, on a serial line, and in serial frames on TCP."""

from collections.abc import Mapping, Sequence
from typing import Generic, TypeVar

from protocols import grammars
from protocols.base import NO_LESSONS, Lessons, TagSpec, Value
from protocols.modbus.connection import (
    DEFAULT_PORT,
    ModbusConnection,
    ModbusRtuConnection,
    ModbusRtuTcpConnection,
    ModbusTcpConnection,
    read_connection,
    read_rtu_connection,
    read_rtu_tcp_connection,
)
from protocols.modbus.debts import Debts
from protocols.modbus.points import ModbusPoint, place
from protocols.modbus.requests import ModbusRequest, plan_requests
from protocols.modbus.rtu_session import ModbusRtuSession
from protocols.modbus.tcp_pipeline import ModbusTcpPipeline
from protocols.modbus.writes import ModbusWrite, plan_write
from protocols.tcp import dial

ConnectionT = TypeVar("ConnectionT", bound=ModbusConnection)


class _ModbusDriver(Generic[ConnectionT]):
    """What is the same whatever the frames: function codes 1 to 4 to read, and 5, 6, 15 and 16 to write."""

    def fits(self, address: str) -> bool:
        """Whether it is written like a Modbus address, in range or not."""
        return grammars.fits("modbus_tcp", address)

    def point(self, tag: TagSpec, connection: ConnectionT) -> ModbusPoint:
        """Place a tag. A BOOL on a register without a bit is whether the register is not zero."""
        return place(tag, connection)

    def compile(
        self, connection: ConnectionT, points: Sequence[ModbusPoint], lessons: Lessons = NO_LESSONS
    ) -> tuple[ModbusRequest, ...]:
        """The fewest requests that read all points but those in `lessons.avoid`."""
        return plan_requests(connection, points, lessons)

    def encode(self, connection: ConnectionT, point: ModbusPoint, value: Value) -> ModbusWrite:
        """The write after which the point reads `value`. Raises `Unwritable`; input tables are ``not_writable``."""
        return plan_write(connection, point, value)


class ModbusTcpDriver(_ModbusDriver[ModbusTcpConnection]):
    """Modbus TCP."""

    protocol: str = "modbus_tcp"
    default_port: int | None = DEFAULT_PORT
    probe_address: str | None = "HR0"

    def connection(self, fields: Mapping[str, object], timeout_s: float) -> ModbusTcpConnection:
        """Check `host`, `port`, `unit_id`, `max_in_flight` and what requests may hold. Raises `Refused`."""
        return read_connection(fields, timeout_s)

    async def connect(self, connection: ModbusTcpConnection) -> ModbusTcpPipeline:
        """Open a TCP connection. Units behind one address may share it."""
        return await dial(
            connection.host, connection.port, connection.timeout_s, lambda: ModbusTcpPipeline(connection.at)
        )


class ModbusRtuDriver(_ModbusDriver[ModbusRtuConnection]):
    """Modbus RTU on a serial line.

    Of a line it remembers for how long late answers may come: that does not end with the session.
    """

    protocol: str = "modbus_rtu"
    default_port: int | None = None

    def __init__(self) -> None:
        self._debts = Debts()

    def connection(self, fields: Mapping[str, object], timeout_s: float) -> ModbusRtuConnection:
        """Check `serial_port`, its settings, `unit_id`, `max_registers`, `max_bits`, `max_gap`. Raises `Refused`."""
        return read_rtu_connection(fields, timeout_s)

    async def connect(self, connection: ModbusRtuConnection) -> ModbusRtuSession:
        """Open the serial port. Units on one line share it."""
        from protocols.modbus.serial_port import open_port  # pyserial is for those who have a serial line

        line = connection.line
        session = ModbusRtuSession(line.port, self._debts.of(connection.link), line.character_s, line.silence_s)
        await open_port(line, connection.timeout_s, session)
        return session


class ModbusRtuTcpDriver(_ModbusDriver[ModbusRtuTcpConnection]):
    """Modbus RTU frames on TCP, as serial device servers pass them on.

    Of a server it remembers for how long late answers may come: many hand them to whoever is connected then.
    """

    protocol: str = "modbus_rtu_tcp"
    default_port: int | None = DEFAULT_PORT

    def __init__(self) -> None:
        self._debts = Debts()

    def connection(self, fields: Mapping[str, object], timeout_s: float) -> ModbusRtuTcpConnection:
        """Check `host`, `port`, `unit_id`, `max_registers`, `max_bits`, `max_gap`. Raises `Refused`."""
        return read_rtu_tcp_connection(fields, timeout_s)

    async def connect(self, connection: ModbusRtuTcpConnection) -> ModbusRtuSession:
        """Open a TCP connection. Units behind one address share it."""
        debts = self._debts.of(connection.link)
        return await dial(
            connection.host, connection.port, connection.timeout_s, lambda: ModbusRtuSession(connection.at, debts)
        )
