"""Two clients that judge a Modbus TCP server: pymodbus, and one that sees every byte."""

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator

from pymodbus.client import AsyncModbusTcpClient

from simulators.modbus import ModbusPlc


@contextlib.asynccontextmanager
async def judge(plc: ModbusPlc, timeout: float = 5.0) -> AsyncIterator[AsyncModbusTcpClient]:
    """pymodbus, connected; it neither repeats a request nor reconnects."""
    client = AsyncModbusTcpClient(
        plc.host, port=plc.port, timeout=timeout, retries=0, reconnect_delay=0, reconnect_delay_max=0
    )
    assert await client.connect()
    try:
        yield client
    finally:
        client.close()


class RawModbus:
    """A client that sees every byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def ask(self, pdu: bytes, *, transaction: int = 1, unit: int = 1) -> None:
        self.writer.write(struct.pack(">HHHB", transaction, 0, len(pdu) + 1, unit) + pdu)

    async def frame(self) -> tuple[int, int, int, bytes]:
        """Transaction, announced length, unit, PDU."""
        header = await asyncio.wait_for(self.reader.readexactly(7), 5)
        transaction, _, length, unit = struct.unpack(">HHHB", header)
        return transaction, length, unit, await asyncio.wait_for(self.reader.readexactly(length - 1), 5)

    async def is_silent(self, seconds: float = 0.05) -> bool:
        with contextlib.suppress(TimeoutError):
            return not await asyncio.wait_for(self.reader.read(1), seconds)
        return True


@contextlib.asynccontextmanager
async def raw_connection(plc: ModbusPlc) -> AsyncIterator[RawModbus]:
    """A raw client, connected."""
    reader, writer = await asyncio.open_connection(plc.host, plc.port)
    try:
        yield RawModbus(reader, writer)
    finally:
        writer.close()
