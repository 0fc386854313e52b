"""Answers late, swapped and lost, to drivers and simulators in memory: none is ever given to another question.

MIXUP_POLLS in the environment says how many polls a protocol; the long run has 1,000,000. Serial frames name no
question, so what holds for them is tried in `test_modbus_rtu`.
"""

import asyncio
import os
import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from protocols.base import Cycle, DataType, Request, TagSpec
from protocols.errors import NoAnswer, SessionError
from protocols.registry import driver
from simulators.modbus import Kind as ModbusKind
from simulators.modbus import ModbusPlc, Table, Unit, row_of
from simulators.plc import Plc
from simulators.s7 import Area, Block, S7Plc
from simulators.s7 import Cell as S7Cell
from simulators.s7 import Kind as S7Kind
from simulators.signals import Moment
from simulators.xgt import Cell as XgtCell
from simulators.xgt import Memory, XgtPlc
from simulators.xgt.values import Kind as XgtKind
from tests.doubles.clock import LeapingLoop
from tests.doubles.visit import Cable

MIXUP_POLLS = int(os.environ.get("MIXUP_POLLS", "3000"))
UNITS, PLACES = 4, 8
STRIDE = UNITS * PLACES
TIMEOUT_S = 1.0


@dataclass
class Ticket:
    """A value that says which read it answers and where it stood. `drawn` has the number of the newest read."""

    place: int
    drawn: list[int]

    def at(self, moment: Moment) -> int:
        self.drawn[0] = moment.read
        return STRIDE * moment.read + self.place


@dataclass
class Party:
    """A simulator, how its driver reaches it, and where its numbers of 32 bits stand."""

    protocol: str
    dial: str
    make: Callable[[list[Ticket]], Plc[Any, Any]]
    address: Callable[[int], str]
    swaps: list[str]
    fields: list[dict[str, object]]
    drawn: list[int] = field(default_factory=lambda: [0])

    @contextmanager
    def plugged(self, patch: pytest.MonkeyPatch) -> Iterator[Plc[Any, Any]]:
        """Whatever the driver dials meanwhile is this simulator."""
        plc = self.make([Ticket(place, self.drawn) for place in range(STRIDE)])

        async def dial(_host: str, _port: int, _timeout_s: float, client: Callable[[], Any]) -> object:
            protocol = client()
            Cable(plc, protocol)
            return protocol

        with patch.context() as patched:
            patched.setattr(self.dial, dial)
            yield plc

    def request(self, unit: int, first: int) -> Request:
        """For two neighbouring places."""
        speaker = driver(self.protocol)
        connection = speaker.connection({"host": "10.0.0.7", **self.fields[unit]}, TIMEOUT_S)
        tags = [TagSpec("t", self.address(first + n), DataType.UINT32) for n in (0, 1)]
        (request,) = speaker.compile(connection, [speaker.point(tag, connection) for tag in tags])
        return request


def modbus(tickets: list[Ticket]) -> ModbusPlc:
    rows = [tickets[PLACES * unit : PLACES * (unit + 1)] for unit in range(UNITS)]
    return ModbusPlc({unit: Unit(row_of(Table.HOLDING, 0, row, ModbusKind.UINT32)) for unit, row in enumerate(rows)})


def s7(tickets: list[Ticket]) -> S7Plc:
    cells = tuple(S7Cell(4 * ticket.place, ticket, S7Kind.DWORD) for ticket in tickets)
    return S7Plc({(Area.DB, 1): Block(4 * STRIDE, cells)})


def xgt(tickets: list[Ticket]) -> XgtPlc:
    return XgtPlc(Memory([XgtCell("D", 4 * ticket.place, ticket, XgtKind.UINT32) for ticket in tickets]))


PARTIES = [
    Party(
        "modbus_tcp",
        dial="protocols.modbus.driver.dial",
        make=modbus,
        address=lambda place: f"HR{2 * (place % PLACES)}",
        swaps=["wrong_transaction", "wrong_unit"],
        fields=[{"unit_id": unit} for unit in range(UNITS)],
    ),
    Party(
        "s7",
        dial="protocols.s7.session.dial",
        make=s7,
        address=lambda place: f"DB1.DBD{4 * place}",
        swaps=["wrong_reference"],
        fields=[{}] * UNITS,
    ),
    Party(
        "xgt",
        dial="protocols.xgt.driver.dial",
        make=xgt,
        address=lambda place: f"D{2 * place}",
        swaps=["wrong_invoke"],
        fields=[{"family": "xgk"}] * UNITS,
    ),
]


async def polls(party: Party, plc: Plc[Any, Any]) -> Counter[str]:
    """So many polls under changing faults; what came of them."""
    rng, outcomes, speaker = random.Random(3), Counter[str](), driver(party.protocol)
    connection = speaker.connection({"host": "10.0.0.7", **party.fields[0]}, TIMEOUT_S)
    requests = {(unit, n): party.request(unit, PLACES * unit + n) for unit in range(UNITS) for n in range(PLACES - 1)}
    session, owed = await speaker.connect(connection), False
    for _ in range(MIXUP_POLLS):
        plc.faults.clear()
        fault = rng.choice(["", "", "", "late", "slow_s", *party.swaps])
        if fault in party.swaps and owed:
            fault = ""  # a late answer with the very id of the next question: nobody could tell
        if fault:
            setattr(plc.faults, fault, 1.5 * TIMEOUT_S if fault == "slow_s" else True)
        (unit, first), request = rng.choice(list(requests.items()))
        cycle = Cycle([None, None])
        try:
            await session.read(request, cycle)
        except SessionError as error:
            outcomes[type(error).__name__] += 1
            assert cycle.values == [None, None]
            owed = isinstance(error, NoAnswer) and rng.random() < 0.5
            if not owed:
                await session.close()
                plc.faults.clear()
                session = await speaker.connect(connection)
            continue
        right = STRIDE * party.drawn[0] + PLACES * unit + first
        assert cycle.values == [right, right + 1]
        outcomes["value"] += 1
        owed = False
    await session.close()
    return outcomes


@pytest.mark.timeout(7200)
@pytest.mark.parametrize("party", PARTIES, ids=lambda party: party.protocol)
def test_p3_among_answers_late_swapped_and_lost_none_is_given_to_another_question(
    party: Party, monkeypatch: pytest.MonkeyPatch
) -> None:
    with party.plugged(monkeypatch) as plc, asyncio.Runner(loop_factory=LeapingLoop) as runner:
        outcomes = runner.run(polls(party, plc))
        assert plc.record.turned_away == 0
    print(f"{MIXUP_POLLS} polls of {party.protocol}: {dict(outcomes)}")
    assert outcomes.total() == MIXUP_POLLS
    assert outcomes["value"] > MIXUP_POLLS / 4
    assert min(outcomes["BadAnswer"], outcomes["NoAnswer"]) > MIXUP_POLLS / 50
