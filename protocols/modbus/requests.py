"""Turns the places of tags into read requests."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from protocols.base import Lessons, Register
from protocols.coalesce import Block, Span, coalesce
from protocols.codec import BlockDecoder
from protocols.modbus.addresses import is_bits, range_name
from protocols.modbus.connection import ModbusTcpConnection
from protocols.modbus.frames import FUNCTIONS, read_pdu
from protocols.modbus.points import ModbusPoint


@dataclass(frozen=True, slots=True)
class ModbusRequest:
    """One read of one table: what is sent, what may come back, and for whom.

    `asked` names the addresses as manuals do, `where` the device; `byte_count` is that of a right answer.
    """

    tags: tuple[int, ...]
    where: str
    asked: str
    unit: int
    function: int
    pdu: bytes
    byte_count: int
    timeout_s: float
    decoder: BlockDecoder = field(compare=False, repr=False)

    @property
    def subject(self) -> str:
        """For messages: ``holding registers 40001-40125 of unit 1``."""
        return f"{self.asked} of unit {self.unit}"


def plan_requests(
    connection: ModbusTcpConnection, points: Sequence[ModbusPoint], lessons: Lessons
) -> tuple[ModbusRequest, ...]:
    """The fewest requests that read all points but those to avoid, by table and address."""
    spans: dict[Register, list[Span]] = {area: [] for area in FUNCTIONS}
    for tag, point in enumerate(points):
        spans[point.area].append(Span(tag, point.offset, point.size))
    return tuple(
        _request(connection, area, block, points)
        for area in FUNCTIONS
        for block in _blocks(connection, area, spans[area], lessons)
    )


def _blocks(
    connection: ModbusTcpConnection, area: Register, spans: Sequence[Span], lessons: Lessons
) -> tuple[Block, ...]:
    if is_bits(area):
        gap = 16 * connection.max_gap
        return coalesce(spans, max_size=connection.max_bits, max_gap=gap, lessons=lessons)
    return coalesce(spans, max_size=connection.max_registers, max_gap=connection.max_gap, lessons=lessons)


def _request(
    connection: ModbusTcpConnection, area: Register, block: Block, points: Sequence[ModbusPoint]
) -> ModbusRequest:
    function = FUNCTIONS[area]
    return ModbusRequest(
        tags=block.tags,
        where=connection.where,
        asked=range_name(area, block.start, block.size),
        unit=connection.unit_id,
        function=function,
        pdu=read_pdu(function, block.start, block.size),
        byte_count=-(-block.size // 8) if is_bits(area) else 2 * block.size,
        timeout_s=connection.timeout_s,
        decoder=BlockDecoder(points[tag].field(tag, block.start) for tag in block.tags),
    )
