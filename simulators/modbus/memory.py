"""The registers of one unit, as a client finds and leaves them."""

from collections.abc import Sequence

from simulators.modbus.functions import ExceptionCode, ModbusError
from simulators.modbus.layout import BIT_TABLES, Cell, Table, Unit
from simulators.modbus.words import Kind, from_words, to_words
from simulators.signals import Moment, Setpoint, SignalValue

_START = Moment(0.0, 0)


class Memory:
    """Stored words for what can be written, live cells for what the process shows. A bit is a word 0 or 1."""

    def __init__(self, unit: Unit) -> None:
        self._stored: dict[Table, dict[int, int]] = {table: {} for table in Table}
        self._cells: dict[Table, dict[int, Cell]] = {table: {} for table in Table}
        for table, ranges in unit.memory.items():
            for addresses in ranges:
                self._stored[table].update(dict.fromkeys(addresses, 0))
        for cell in unit.cells:
            self._place(cell)

    def read(self, table: Table, address: int, count: int, moment: Moment) -> list[int]:
        """The words of a range at a moment. Raises `ModbusError` 2 when one of them does not exist."""
        cells, stored = self._cells[table], self._stored[table]
        words: list[int] = []
        place, end = address, address + count
        while place < end:
            cell = cells.get(place)
            if cell is not None and not cell.writable:
                behind = place - cell.address
                words += _words_of(cell, cell.signal.at(moment))[behind : behind + end - place]
                place = cell.address + cell.size
            elif place in stored:
                words.append(stored[place])
                place += 1
            else:
                raise ModbusError(ExceptionCode.ILLEGAL_ADDRESS)
        return words

    def write(self, table: Table, address: int, words: Sequence[int]) -> None:
        """All of them or none. Raises `ModbusError` 2 where nothing exists or the process has the say."""
        stored, cells = self._stored[table], self._cells[table]
        places = range(address, address + len(words))
        if any(place not in stored for place in places):
            raise ModbusError(ExceptionCode.ILLEGAL_ADDRESS)
        stored.update(zip(places, words, strict=True))
        for cell in {cells[place].address: cells[place] for place in places if place in cells}.values():
            self._clamp(cell)

    def poke(self, table: Table, address: int, words: Sequence[int]) -> None:
        """Set plain memory or a setpoint from inside, as the PLC's own program does; limits do not count."""
        self._stored[table].update(zip(range(address, address + len(words)), words, strict=True))

    def _place(self, cell: Cell) -> None:
        cells, stored = self._cells[cell.table], self._stored[cell.table]
        for place in range(cell.address, cell.address + cell.size):
            if place in cells:
                raise ValueError(f"two cells share {cell.table} address {place}")
            cells[place] = cell
            stored.pop(place, None)
        if cell.writable:
            self.poke(cell.table, cell.address, _words_of(cell, cell.signal.at(_START)))

    def _clamp(self, cell: Cell) -> None:
        if not isinstance(cell.signal, Setpoint):
            return
        places = range(cell.address, cell.address + cell.size)
        words = tuple(self._stored[cell.table][place] for place in places)
        kind = Kind.BOOL if cell.table in BIT_TABLES else cell.kind
        value = from_words(words, kind, cell.order, cell.encoding)
        clamped = cell.signal.clamp(value)
        if clamped != value:
            self.poke(cell.table, cell.address, _words_of(cell, clamped))


def _words_of(cell: Cell, value: SignalValue) -> tuple[int, ...]:
    if cell.table in BIT_TABLES:
        return (int(bool(value)),)
    return to_words(value, cell.kind, cell.order, cell.length, cell.encoding)
