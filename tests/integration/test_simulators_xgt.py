"""The simulated PLC before an independent judge, pyXGTClient, and on raw sockets, where that is too polite."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

import pytest

from simulators.signals import Constant, Setpoint, Unique
from simulators.xgt import Cell, Memory, XgtPlc, demo_memory, family_of
from simulators.xgt.values import Kind
from tests.doubles.xgt_judge import ask, judge
from tests.unit.protocols.xgt.vectors import FIELD, OTHERS, raw

READ_D1000 = raw(FIELD["read %DW1000"])


def memory() -> Memory:
    return Memory(
        [
            *(Cell("D", 2 * number, Constant(number + 1)) for number in range(20)),
            Cell("D", 240, Constant(25.5), Kind.FLOAT32),
            Cell("D", 220, Constant("프레스"), Kind.STRING, length=10),
            Cell("D", 2000, Unique(base=1, stride=10), Kind.UINT32),
            Cell("M", 344, Constant(0x1000)),
            Cell("M", 400, Setpoint(50, 10, 90)),
        ],
        {"T5": Constant(True)},
    )


@pytest.fixture
async def plc() -> AsyncIterator[XgtPlc]:
    async with XgtPlc(memory()) as running:
        yield running


class Raw:
    """A client that sees every byte."""

    def __init__(self, plc: XgtPlc) -> None:
        self._plc = plc

    async def __aenter__(self) -> "Raw":
        self.reader, self.writer = await asyncio.open_connection(self._plc.host, self._plc.port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.close()

    async def ask(self, question: bytes) -> bytes:
        """The whole answer."""
        self.writer.write(question)
        head = await asyncio.wait_for(self.reader.readexactly(20), 5)
        return head + await asyncio.wait_for(self.reader.readexactly(int.from_bytes(head[16:18], "little")), 5)

    async def is_silent(self, seconds: float = 0.05) -> bool:
        with contextlib.suppress(TimeoutError):
            return not await asyncio.wait_for(self.reader.read(1), seconds)
        return True


def question(instruction: str) -> bytes:
    """A request around an instruction."""
    body = raw(instruction)
    return b"LSIS-XGT" + raw("0000 0000 A0 33 0700") + len(body).to_bytes(2, "little") + b"\0\0" + body


async def test_the_judge_reads_words_bytes_bits_and_blocks(plc: XgtPlc) -> None:
    with judge(plc.port) as client:
        assert await ask(client.readData, ["%DW0", "%DW19", "%MW172"]) == [1, 20, 0x1000]
        assert await ask(client.readData, ["%DD0", "%DD1"]) == [0x00020001, 0x00040003]
        assert await ask(client.readData, ["%DL0"]) == [0x0004000300020001]
        assert await ask(client.readData, ["%DB0", "%DB2"]) == [1, 2]
        assert await ask(client.readData, ["%MX2764", "%MX2763", "%TX5", "%TX6"]) == [1, 0, 1, 0]
        assert await ask(client.readContinuousData, "%DB0", 6) == [1, 0, 2, 0, 3, 0]
        assert bytes(await ask(client.readContinuousData, "%DB220", 10)) == "프레스".encode() + b"\0"
        assert len(await ask(client.readContinuousData, "%DB0", 1400)) == 1400


async def test_the_judge_writes_and_reads_back(plc: XgtPlc) -> None:
    with judge(plc.port) as client:
        assert await ask(client.writeData, ["%MW300", "%DW301"], [0x1234, 7])
        assert await ask(client.readData, ["%MW300", "%DW301"]) == [0x1234, 7]
        assert await ask(client.writeData, ["%MX4803"], [1])
        assert await ask(client.readData, ["%MW300"]) == [0x123C]
        assert await ask(client.writeContinuousData, "%DB5000", [1, 2, 3])
        assert await ask(client.readContinuousData, "%DB5000", 4) == [1, 2, 3, 0]
        assert await ask(client.writeData, ["%MW200"], [5])
        assert await ask(client.readData, ["%MW200"]) == [10]  # a setpoint has its limits
    assert len(plc.record.writes) == 4


@pytest.mark.parametrize("name", ["%DW32768", "%XW0", "%FX999999"])
async def test_the_judge_is_refused_what_is_not_there(plc: XgtPlc, name: str) -> None:
    with judge(plc.port) as client, pytest.raises(ValueError, match="Nak"):
        await ask(client.readData, [name])


async def test_the_judge_sees_a_new_value_at_every_read(plc: XgtPlc) -> None:
    with judge(plc.port) as client:
        seen = [(await ask(client.readData, ["%DD500"]))[0] for _ in range(3)]
    assert seen == [11, 21, 31]


@pytest.mark.parametrize("name", [name for name in FIELD if name.startswith("read ")])
async def test_requests_from_the_field_are_answered(plc: XgtPlc, name: str) -> None:
    asked = raw(FIELD[name])
    async with Raw(plc) as client:
        answer = await client.ask(asked)
    assert answer[:10] == b"LSIS-XGT\0\0"
    assert (answer[13], answer[14:16], answer[19]) == (0x11, asked[14:16], sum(answer[:19]) % 256)
    assert (answer[20], answer[26:28]) == (0x55, b"\0\0")


async def test_a_write_from_the_field_sets_one_bit(plc: XgtPlc) -> None:
    async with Raw(plc) as client:
        answer = await client.ask(raw(FIELD["write %MX1"]))
        assert (answer[20], answer[28:]) == (0x59, b"\1\0")
        assert (await client.ask(question("5400 0200 0000 0100 0400 254D5730")))[-2:] == b"\2\0"


async def test_others_requests_and_answers_fit_together(plc: XgtPlc) -> None:
    plc.memory.poke("D", 200, raw("3412 7856 BC9A"))
    plc.memory.poke("M", 200, raw("3412"))
    plc.memory.poke("D", 400, raw("7856"))
    async with Raw(plc) as client:
        answer = await client.ask(raw(OTHERS["read %MW100 and %DW200"]))
        expected = bytearray(raw(OTHERS["two words"]))
        assert answer[20:24] + answer[26:] == expected[20:24] + expected[26:]
        assert answer[:18] == expected[:18]
        block = await client.ask(raw(OTHERS["read four bytes from %DB200"]))
        assert block[26:] == raw("0000 0100 0400 3412 7856")


@pytest.mark.parametrize(
    ("instruction", "code"),
    [
        ("5400 0200 0000 1100" + "0400 25445730" * 17, 0x01),
        ("5400 0200 0000 0000", 0x01),
        ("5400 0700 0000 0100 0400 25445730", 0x02),
        ("5400 0200 0000 0100 0400 25495730", 0x03),
        ("5400 0200 0000 0100 0800 2544573332373638", 0x04),
        ("5400 1400 0000 0100 0400 25444230 7905", 0x05),
        ("5400 0200 0000 0100 0300 254457", 0x11),
        ("5400 0200 0000 0100 0400 25444230", 0x12),
        ("5400 1400 0000 0100 0400 25445730 0200", 0x12),
        ("5400 0200 0000 0200 0400 25445730", 0x76),
        ("5800 0200 0000 0100 0400 25445730 0100 3412", 0x76),
        ("5600 0200", 0x78),
        ("5800 0200 0000 0100 0400 25465730 0200 3412", 0x03),
    ],
)
async def test_refusals_by_the_manual(plc: XgtPlc, instruction: str, code: int) -> None:
    async with Raw(plc) as client:
        answer = await client.ask(question(instruction))
    assert answer[26:] == b"\xff\xff" + code.to_bytes(2, "little")
    assert plc.record.naks == {code: 1}


async def test_small_plcs_have_small_blocks_other_bits_four_connections_and_no_status_command() -> None:
    async with XgtPlc(memory(), family=family_of("xgb")) as plc, Raw(plc) as client:
        assert (await client.ask(question("5400 1400 0000 0100 0400 25444230 0102")))[26:] == raw("FFFF 0500")
        assert (await client.ask(question("5400 0000 0000 0100 0700 254D5831373243")))[-1:] == b"\1"
        async with Raw(plc), Raw(plc), Raw(plc) as fourth, Raw(plc) as fifth:
            await fourth.ask(READ_D1000)
            with contextlib.suppress(ConnectionResetError):
                assert await asyncio.wait_for(fifth.reader.read(), 5) == b""
        assert plc.record.turned_away == 1
        client.writer.write(question("B000 0000 0000"))
        assert await client.is_silent()


async def test_others_tell_their_state(plc: XgtPlc) -> None:
    async with Raw(plc) as client:
        running = await client.ask(question("B000 0000 0000"))
        assert len(running) == 56
        assert (running[20:22], running[10:12]) == (b"\xb1\0", b"\x04\1")
        plc.faults.stopped = True
        assert (await client.ask(READ_D1000))[10:12] == b"\x04\2"
        plc.faults.in_error = True
        assert (await client.ask(READ_D1000))[10:12] == b"\x84\4"


async def test_a_close_is_answered_by_a_reset(plc: XgtPlc) -> None:
    async with Raw(plc) as client:
        await client.ask(READ_D1000)
        client.writer.write_eof()
        with pytest.raises(ConnectionResetError):
            await asyncio.wait_for(client.reader.read(), 5)


async def test_faults_of_the_answer(plc: XgtPlc) -> None:
    async with Raw(plc) as client:
        right = await client.ask(READ_D1000)
        for fault, at in {"wrong_invoke": 14, "wrong_command": 20, "wrong_company": 1, "wrong_count": 28}.items():
            setattr(plc.faults, fault, True)
            assert (await client.ask(READ_D1000))[at] != right[at], fault
            plc.faults.clear()
        plc.faults.no_checksum = True
        assert (await client.ask(READ_D1000))[19] == 0
        plc.faults.clear()
        plc.faults.fewer = True
        assert (await client.ask(READ_D1000))[30:] == b"\0\0"
        plc.faults.clear()
        plc.faults.nak, plc.faults.short_nak = 0x21, True
        assert (await client.ask(READ_D1000))[26:] == b"\xff\xff\x21"
        plc.faults.clear()
        plc.faults.bad_addresses = {1000}
        assert (await client.ask(READ_D1000))[26:] == b"\xff\xff\x04\0"
        plc.faults.clear()
        plc.faults.strict_checksum = True
        assert (await client.ask(READ_D1000))[26:] == b"\xff\xff\x77\0"  # a captured sum that is wrong
        assert (await client.ask(raw(OTHERS["read %MW100"])))[26:28] == b"\0\0"


async def test_faults_of_the_line(plc: XgtPlc) -> None:
    async with Raw(plc) as client:
        plc.faults.silent = True
        client.writer.write(READ_D1000)
        assert await client.is_silent()
        plc.faults.clear()
        plc.faults.slow_s = 0.1
        began = time.monotonic()
        await client.ask(READ_D1000)
        assert time.monotonic() - began >= 0.1
        plc.faults.clear()
        plc.faults.late = True
        client.writer.write(READ_D1000)
        assert await client.is_silent()
        late = await client.ask(raw(FIELD["read %DW5004 on XGB"]))
        assert late[14:16] == READ_D1000[14:16]
        assert int.from_bytes((await asyncio.wait_for(client.reader.readexactly(34), 5))[14:16], "little") == 0
        plc.faults.clear()
        plc.faults.half_frame = True
        client.writer.write(READ_D1000)
        assert len(await asyncio.wait_for(client.reader.readexactly(17), 5)) == 17
        assert await client.is_silent()


async def test_it_dies_and_returns_on_the_same_port(plc: XgtPlc) -> None:
    port = plc.port
    plc.faults.dead = True
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(plc.host, port)
    plc.faults.clear()
    async with Raw(plc) as client:
        await client.ask(READ_D1000)
    assert plc.port == port


async def test_who_speaks_something_else_is_shown_out(plc: XgtPlc) -> None:
    async with Raw(plc) as client:
        client.writer.write(b"GET / HTTP/1.1\r\nHost: plc\r\n\r\n")
        with contextlib.suppress(ConnectionResetError):
            assert await asyncio.wait_for(client.reader.read(), 5) == b""
    assert plc.record.malformed == 1


@pytest.mark.parametrize("family", ["xgi", "xgb_iec"])
def test_the_line_needs_devices_that_not_every_family_has(family: str) -> None:
    with pytest.raises(ValueError, match=f"family {family} has no room at byte"):
        XgtPlc(demo_memory(), family=family_of(family))
