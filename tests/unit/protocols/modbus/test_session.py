"""What only Modbus sessions have: transaction ids and units. The rest is in the contract suite."""

import asyncio

from protocols.base import Cycle, DataType, TagSpec
from protocols.modbus.driver import ModbusTcpDriver
from protocols.modbus.tcp_session import ModbusTcpSession
from tests.doubles.modbus_device import ModbusDevice

DRIVER = ModbusTcpDriver()


class Answering(asyncio.Transport):
    """Answers each question at once from the device's own tables, or keeps the answer back."""

    def __init__(self, session: ModbusTcpSession) -> None:
        super().__init__()
        self.session, self.device = session, ModbusDevice()
        self.transactions: list[int] = []
        self.kept: list[bytes] | None = None

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.transactions.append(int.from_bytes(data[:2], "big"))
        answer = self.device.answer(bytes(data))
        if self.kept is None:
            self.session.data_received(answer)
        else:
            self.kept.append(answer)


async def test_transaction_ids_go_round_without_zero_and_a_forgotten_one_may_return() -> None:
    session = ModbusTcpSession("10.0.0.7:502")
    wire = Answering(session)
    session.connection_made(wire)
    wire.device.words[3][0] = 7
    connection = DRIVER.connection({"host": "10.0.0.7"}, 3)
    (request,) = DRIVER.compile(connection, [DRIVER.point(TagSpec("t", "HR0", DataType.UINT16), connection)])

    wire.kept = []
    cancelled = asyncio.create_task(session.read(request, Cycle([None])))
    await asyncio.sleep(0)
    cancelled.cancel()
    await asyncio.wait([cancelled])
    wire.kept = None
    for _ in range(65_536):
        cycle = Cycle([None])
        await session.read(request, cycle)
        assert cycle.values == [7]
    assert wire.transactions[:65_535] == list(range(1, 65_536))
    assert wire.transactions[65_535:] == [1, 2]


async def test_units_behind_one_gateway_share_a_session() -> None:
    device = ModbusDevice()
    await device.start()
    fields = {"host": "127.0.0.1", "port": device.port}
    connections = [DRIVER.connection({**fields, "unit_id": unit}, 3) for unit in (1, 2)]
    assert connections[0].link == connections[1].link
    session = await DRIVER.connect(connections[0])
    for connection in connections:
        point = DRIVER.point(TagSpec("t", "HR0", DataType.UINT16), connection)
        for request in DRIVER.compile(connection, [point]):
            await session.read(request, Cycle([None]))
    assert [question[6] for question in device.questions] == [1, 2]
    await session.close()
    await device.stop()
