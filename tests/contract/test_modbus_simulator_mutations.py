"""The simulated PLC under damaged questions, in both frames: it never breaks, never hangs and never answers wrongly."""

import struct
from collections.abc import Callable

import pytest

from simulators.modbus import ModbusPlc, RtuFraming, Table, TcpFraming, Unit, row_of
from simulators.modbus.frames import Framing
from simulators.signals import Constant
from tests.contract.mutation import MUTATED_FRAMES, Questions, mutated
from tests.doubles.modbus_device import checked

VALUES = range(40_000, 40_200)
LAYOUT = {1: Unit(row_of(Table.HOLDING, 0, [Constant(value) for value in VALUES]))}

Wrap = Callable[[bytes], bytes]
WRAPS: dict[str, tuple[Framing, Wrap]] = {
    "tcp": (TcpFraming(), lambda pdu: b"\x12\x34\0\0" + (len(pdu) + 1).to_bytes(2, "big") + b"\1" + pdu),
    "rtu": (RtuFraming(), lambda pdu: checked(b"\1" + pdu)),
}


def wrong_values(answer: bytes) -> bool:
    """Whether a well-formed read answer in it shows a row of registers that the PLC does not have."""
    at = answer.find(b"\1\3")
    while at >= 0 and at + 3 <= len(answer):
        size = answer[at + 2]
        data = answer[at + 3 : at + 3 + size]
        if size and size % 2 == 0 and len(data) == size:
            values = struct.unpack(f">{size // 2}H", data)
            if values[0] in VALUES:
                return list(values) != list(range(values[0], values[0] + len(values)))
        at = answer.find(b"\1\3", at + 1)
    return False


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("frames", WRAPS)
def test_p4_no_damaged_question_breaks_the_simulator(frames: str) -> None:
    framing, wrap = WRAPS[frames]
    right = wrap(struct.pack(">BB60H", 3, 120, *VALUES[30:90]))
    questions = Questions(
        plc=ModbusPlc(LAYOUT, framing=framing),
        question=wrap(struct.pack(">BHH", 3, 30, 60)),
        other=wrap(struct.pack(">BHH", 3, 100, 7)),
        is_right=lambda answer: answer.endswith(right),
        betrays=wrong_values,
    )
    outcomes = mutated(questions.ask_once)
    if frames == "rtu":
        assert set(outcomes) <= {"answered at attempt 1", "answered at attempt 2"}, outcomes
    else:
        assert min(outcomes["closed"], outcomes["answered at attempt 1"]) > MUTATED_FRAMES / 10
