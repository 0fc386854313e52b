"""Turns the places of tags into read requests."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from protocols.base import Lessons, Register
from protocols.coalesce import Block, Span, coalesce
from protocols.codec import BlockDecoder
from protocols.modbus.addresses import is_bits, range_name
from protocols.modbus.connection import ModbusConnection
from protocols.modbus.frames import FUNCTIONS, read_pdu
from protocols.modbus.points import ModbusPoint
from protocols.modbus.question import Question


@dataclass(frozen=True, slots=True)
class ModbusRequest:
    """One read of one table, and for whom."""

    tags: tuple[int, ...]
    question: Question
    decoder: BlockDecoder = field(compare=False, repr=False)

    @property
    def subject(self) -> str:
        """For messages: ``holding registers 40001-40125 of unit 1``."""
        return f"{self.question.asked} of unit {self.question.unit}"


def plan_requests(
    connection: ModbusConnection, points: Sequence[ModbusPoint], lessons: Lessons
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


def _blocks(connection: ModbusConnection, area: Register, spans: Sequence[Span], lessons: Lessons) -> tuple[Block, ...]:
    if is_bits(area):
        gap = 16 * connection.max_gap
        return coalesce(spans, max_size=connection.max_bits, max_gap=gap, lessons=lessons)
    return coalesce(spans, max_size=connection.max_registers, max_gap=connection.max_gap, lessons=lessons)


def _request(
    connection: ModbusConnection, area: Register, block: Block, points: Sequence[ModbusPoint]
) -> ModbusRequest:
    return ModbusRequest(
        tags=block.tags,
        question=read_question(connection, area, block.start, block.size),
        decoder=BlockDecoder(points[tag].field(tag, block.start) for tag in block.tags),
    )


def read_question(connection: ModbusConnection, area: Register, offset: int, size: int) -> Question:
    """The question for `size` registers or bits of a table, from the zero-based `offset`."""
    return Question(
        where=connection.where,
        asked=range_name(area, offset, size),
        unit=connection.unit_id,
        pdu=read_pdu(FUNCTIONS[area], offset, size),
        timeout_s=connection.timeout_s,
        byte_count=-(-size // 8) if is_bits(area) else 2 * size,
    )
