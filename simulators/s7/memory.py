"""The bytes of one block, as a client finds and leaves them."""

from simulators.s7.layout import Block, Cell, Kind, loaded, stored
from simulators.signals import Moment, Setpoint

_START = Moment(0.0, 0)


class Memory:
    """Plain bytes, over which the live cells are laid at each read."""

    def __init__(self, block: Block) -> None:
        self._bytes = bytearray(block.size)
        self._live = [cell for cell in block.cells if not cell.writable]
        self._setpoints = [cell for cell in block.cells if cell.writable]
        for cell in self._setpoints:
            self._lay(self._bytes, cell, _START)

    @property
    def size(self) -> int:
        """In bytes."""
        return len(self._bytes)

    def read(self, start: int, size: int, moment: Moment) -> bytes:
        """The bytes of a range that exists, at a moment."""
        seen = bytearray(self._bytes)
        for cell in self._live:
            if cell.at < start + size and start < cell.at + cell.size:
                self._lay(seen, cell, moment)
        return bytes(seen[start : start + size])

    def write(self, start: int, data: bytes) -> None:
        """Set bytes that exist; a setpoint that has limits is kept within them."""
        self.poke(start, data)
        for cell in self._setpoints:
            if cell.at < start + len(data) and start < cell.at + cell.size:
                self._clamp(cell)

    def write_bit(self, at: int, bit: int, on: bool) -> None:
        """Set one bit and leave its neighbours."""
        old = self._bytes[at]
        self.write(at, bytes([old | 1 << bit if on else old & ~(1 << bit)]))

    def poke(self, start: int, data: bytes) -> None:
        """Set bytes from inside, as the CPU's own program does; limits do not count."""
        self._bytes[start : start + len(data)] = data

    def _clamp(self, cell: Cell) -> None:
        value = loaded(cell, bytes(self._bytes[cell.at : cell.at + cell.size]))
        if value is not None and isinstance(cell.signal, Setpoint):
            clamped = cell.signal.clamp(value)
            if clamped != value:
                self.poke(cell.at, stored(cell, clamped))

    @staticmethod
    def _lay(memory: bytearray, cell: Cell, moment: Moment) -> None:
        value = cell.signal.at(moment)
        if cell.kind is Kind.BOOL:
            mask = 1 << cell.bit
            memory[cell.at] = memory[cell.at] | mask if value else memory[cell.at] & ~mask
        else:
            memory[cell.at : cell.at + cell.size] = stored(cell, value)
