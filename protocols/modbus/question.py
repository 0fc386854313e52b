"""One question to one unit, and how its answer is told from everything else."""

from dataclasses import dataclass, field

from protocols.errors import BadAnswer, NoAnswer, RequestRefused
from protocols.modbus.frames import EXCEPTION_BIT
from protocols.modbus.refusals import leaves_open, refusal

EXCEPTION_SIZE = 2
_ECHO_SIZE = 5


@dataclass(frozen=True, slots=True)
class Question:
    """A PDU to send. `byte_count` is the data that answers a read, in bytes; None for a write, which is echoed.

    `where` is the device and `asked` the addresses, both for messages. `answer_pdu` is what the PDU of a read's right
    answer begins with.
    """

    where: str
    asked: str
    unit: int
    pdu: bytes
    timeout_s: float
    byte_count: int | None
    answer_pdu: bytes = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "answer_pdu", bytes((self.function, self.byte_count or 0)))

    @property
    def function(self) -> int:
        """The function code."""
        return self.pdu[0]

    @property
    def answer_size(self) -> int:
        """The size of the right answer's PDU."""
        return _ECHO_SIZE if self.byte_count is None else self.byte_count + 2

    def __str__(self) -> str:
        return f"{self.where} {self.asked}"

    def outcome(self, pdu: bytes) -> bytes | RequestRefused | NoAnswer:
        """What a whole answer says: the data of a read, nothing for a write, or no. Raises `BadAnswer`."""
        if len(pdu) == EXCEPTION_SIZE and pdu[0] == self.function | EXCEPTION_BIT:
            return self._refusal(pdu[1])
        self.check_beginning(pdu)
        if len(pdu) != self.answer_size:
            raise BadAnswer(f"sent an answer of {len(pdu)} bytes where {self.answer_size} were expected")
        return b"" if self.byte_count is None else pdu[2:]

    def check_beginning(self, begun: bytes) -> None:
        """Raise `BadAnswer` if a PDU that begins so can not be the answer. An exception is not looked at."""
        if begun and begun[0] != self.function:
            raise BadAnswer(f"answered function {self.function} with function {begun[0]}")
        if self.byte_count is None:
            if begun != self.pdu[: min(len(begun), _ECHO_SIZE)]:
                raise BadAnswer(f"confirmed another write than was asked for ({begun.hex(' ')})")
        elif len(begun) > 1 and begun[1] != self.byte_count:
            raise BadAnswer(f"announced {begun[1]} bytes of data where {self.byte_count} were asked for")

    def _refusal(self, code: int) -> RequestRefused | NoAnswer:
        refused = refusal(code, str(self), self.function)
        if self.byte_count is None and leaves_open(code):
            return NoAnswer(f"{refused}; whether it was written is not known")
        return refused
