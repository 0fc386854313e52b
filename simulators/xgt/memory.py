"""The devices of one PLC, as a client finds and leaves them: bytes, of which bits, words and the rest are views."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from simulators.signals import Constant, Moment, Setpoint, Signal
from simulators.xgt.families import Family
from simulators.xgt.naks import Nak, NakCode
from simulators.xgt.names import Place
from simulators.xgt.values import Kind, byte_count, from_bytes, to_bytes

_START = Moment(0.0, 0)


@dataclass(frozen=True, slots=True)
class Cell:
    """One signal from byte `byte` of a device on. `length` is the bytes of a STRING."""

    device: str
    byte: int
    signal: Signal
    kind: Kind = Kind.UINT16
    length: int = 0

    @property
    def end(self) -> int:
        """The first byte after it."""
        return self.byte + byte_count(self.kind, self.length)

    def bytes_at(self, moment: Moment) -> bytes:
        """What it shows."""
        return to_bytes(self.signal.at(moment), self.kind, self.length)


class Memory:
    """All bytes exist, as in a PLC; `cells` show the process in some of them, and keep setpoints within their limits.

    `contacts` of timers and counters, by name as ``T5``, are apart from their values.
    """

    def __init__(self, cells: Iterable[Cell] = (), contacts: Mapping[str, Signal] | None = None) -> None:
        self._cells = list(cells)
        self._contacts = dict(contacts or {})
        self._bytes: dict[str, bytearray] = {}

    def install(self, family: Family) -> None:
        """Give the devices the sizes of a family. Raises `ValueError` for a cell that it has no room for."""
        self._bytes = {device: bytearray(2 * words) for device, words in family.sizes.items()}
        for cell in self._cells:
            if cell.end > len(self._bytes.get(cell.device, b"")):
                raise ValueError(f"family {family.name} has no room at byte {cell.byte} of device {cell.device}")
            self.poke(cell.device, cell.byte, cell.bytes_at(_START))

    def read(self, place: Place, size: int, moment: Moment) -> bytes:
        """`size` bytes, or one with a bit. Raises `Nak` past the end."""
        if place.contact is not None:
            self._check_contact(place)
            signal = self._contacts.get(f"{place.device}{place.contact}", Constant(False))
            return bytes([bool(signal.at(moment))])
        self._check(place.device, place.byte, size)
        for cell in self._cells_in(place.device, place.byte, size):
            if not isinstance(cell.signal, Setpoint):
                self.poke(cell.device, cell.byte, cell.bytes_at(moment))
        found = bytes(self._bytes[place.device][place.byte : place.byte + size])
        return found if place.bit is None else bytes([found[0] >> place.bit & 1])

    def check_write(self, place: Place, size: int) -> None:
        """Raises `Nak` past the end, and for what only the PLC may set."""
        if place.contact is not None or place.device == "F":
            raise Nak(NakCode.NO_SUCH_DEVICE)
        self._check(place.device, place.byte, size)

    def write(self, place: Place, data: bytes) -> None:
        """Set bytes, or one bit. What the process shows in them shows again at the next read."""
        memory = self._bytes[place.device]
        if place.bit is None:
            memory[place.byte : place.byte + len(data)] = data
        else:
            memory[place.byte] = memory[place.byte] & ~(1 << place.bit) | (data[0] & 1) << place.bit
        for cell in self._cells_in(place.device, place.byte, len(data)):
            if isinstance(cell.signal, Setpoint):
                value = from_bytes(bytes(memory[cell.byte : cell.end]), cell.kind)
                self.poke(cell.device, cell.byte, to_bytes(cell.signal.clamp(value), cell.kind, cell.length))

    def poke(self, device: str, byte: int, data: bytes) -> None:
        """Set bytes from inside, as the PLC's own program does; limits do not count."""
        self._bytes[device][byte : byte + len(data)] = data

    def _cells_in(self, device: str, byte: int, size: int) -> list[Cell]:
        return [cell for cell in self._cells if cell.device == device and cell.byte < byte + size and byte < cell.end]

    def _check(self, device: str, byte: int, size: int) -> None:
        if byte + size > len(self._bytes[device]):
            raise Nak(NakCode.PAST_THE_END)

    def _check_contact(self, place: Place) -> None:
        if 2 * (place.contact or 0) >= len(self._bytes[place.device]):
            raise Nak(NakCode.PAST_THE_END)
