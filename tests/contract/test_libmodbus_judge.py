"""Modbus TCP and RTU against libmodbus, which shares nothing with the driver, its doubles or its simulator."""

import asyncio
import os
import shutil
import struct
import subprocess
import tty
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import pytest

from protocols.base import ByteOrder, DataType, Register, TagSpec, Value
from protocols.errors import RequestRefused
from protocols.quality import Quality
from protocols.registry import driver
from tests.contract.bench import Judge, Reader, spec
from tests.contract.test_values import EXAMPLES, LETTERS, laid_out

SOURCE = Path(__file__).with_name("libmodbus_server.c")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The server, compiled here and now."""
    program = tmp_path_factory.mktemp("libmodbus") / "server"
    compiler = shutil.which("cc")
    flags = ["-I/usr/include/modbus", "-Wall", "-Werror", str(SOURCE), "-o", str(program), "-lmodbus"]
    missing = "there is no C compiler" if compiler is None else ""
    if compiler is not None:
        done = subprocess.run([compiler, *flags], capture_output=True, text=True, check=False)
        missing = done.stderr if done.returncode else ""
    if missing and os.environ.get("CI"):
        pytest.fail(f"CI insists on this judge (apt-get install gcc libc6-dev libmodbus-dev): {missing}")
    if missing:
        pytest.skip(f"needs cc and libmodbus-dev: {missing}")
    return program


@contextmanager
def running(*command: str | Path) -> Iterator[str]:
    """The server as a process, and what it says first."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()


@contextmanager
def null_modem() -> Iterator[tuple[str, str]]:
    """Two serial ports with a cable between them."""
    loop = asyncio.get_running_loop()
    with ExitStack() as stack:
        far, near = zip(*(os.openpty() for _ in range(2)), strict=True)
        for end in (*far, *near):
            stack.callback(os.close, end)
        for one, other in (far, far[::-1]):
            loop.add_reader(one, partial(_pass_on, one, other))
            stack.callback(loop.remove_reader, one)
        for end in near:
            tty.setraw(end)
        yield os.ttyname(near[0]), os.ttyname(near[1])


def _pass_on(one: int, other: int) -> None:
    os.write(other, os.read(one, 4096))


@pytest.fixture(params=["modbus_tcp", "modbus_rtu"])
async def judged(request: pytest.FixtureRequest, server: Path) -> AsyncIterator[Reader]:
    """A reader whose device is libmodbus."""
    modbus = driver(request.param)
    with ExitStack() as stack:
        if request.param == "modbus_tcp":
            port = stack.enter_context(running(server, "tcp")).removeprefix("port ")
            fields: dict[str, object] = {"host": "127.0.0.1", "port": port}
        else:
            ours, theirs = stack.enter_context(null_modem())
            assert stack.enter_context(running(server, "rtu", theirs)) == "line"
            fields = {"serial_port": ours, "baudrate": 115_200}
        reader = Reader(Judge(modbus), modbus.connection(fields, 3))
        await reader.open()
        yield reader
        await reader.session.close()


async def test_a_thousand_registers_come_in_order(judged: Reader) -> None:
    tags = [TagSpec(f"t{i}", f"{40001 + i}", DataType.UINT16) for i in range(1000)]
    assert len(judged.requests(*tags)) == 8
    assert (await judged.read(*tags)).values == list(range(1000))


async def test_every_table_is_read_with_its_own_function(judged: Reader) -> None:
    cycle = await judged.read(
        spec("40008", DataType.UINT16),
        spec("30009", DataType.UINT16),
        spec("00002", DataType.BOOL),
        spec("10001", DataType.BOOL),
        spec("0", DataType.BOOL, length=2000, register=Register.COIL),
    )
    assert cycle.values == [7, 30008, True, False, [bool(i % 2) for i in range(2000)]]


@pytest.mark.parametrize("order", LETTERS)
async def test_every_type_is_written_and_stands_there_as_it_should(judged: Reader, order: ByteOrder) -> None:
    for data_type, raw, value in EXAMPLES:
        tag = spec("HR10", data_type, order)
        await judged.write(tag, value)
        words = [1] if data_type is DataType.BOOL else laid_out(raw, order)
        cycle = await judged.read(tag, *(spec(f"HR{10 + i}", DataType.UINT16) for i in range(len(words))))
        assert cycle.values == [value, *words]


@pytest.mark.parametrize("count", [2, 123])
async def test_many_registers_are_written_at_once(judged: Reader, count: int) -> None:
    numbers: Value = [*range(5000, 5000 + count)]
    tag = spec("HR100", DataType.UINT16, length=count)
    await judged.write(tag, numbers)
    around = spec("HR99", DataType.UINT16), spec(f"HR{100 + count}", DataType.UINT16)
    assert (await judged.read(tag, *around)).values == [numbers, 99, 100 + count]


async def test_coils_one_and_many(judged: Reader) -> None:
    pattern: Value = [i % 3 == 0 for i in range(1968)]
    one, many = spec("C1", DataType.BOOL), spec("C8", DataType.BOOL, length=1968)
    await judged.write(one, False)
    await judged.write(many, pattern)
    around = spec("C0", DataType.BOOL), spec("C7", DataType.BOOL), spec("C1977", DataType.BOOL)
    assert (await judged.read(one, many, *around)).values == [False, pattern, False, True, True]


async def test_a_bit_leaves_its_word_alone(judged: Reader) -> None:
    await judged.write(spec("HR500.0", DataType.BOOL), True)
    await judged.write(spec("HR500.8", DataType.BOOL), False)
    assert (await judged.read(spec("HR500", DataType.UINT16))).values == [500 & ~0x100 | 1]


async def test_an_address_that_it_does_not_have(judged: Reader) -> None:
    absent = spec("HR1000", DataType.UINT16)
    attempts: list[Callable[[], object]] = [lambda: judged.read(absent), lambda: judged.write(absent, 1)]
    for attempt in attempts:
        with pytest.raises(RequestRefused, match="illegal data address") as caught:
            await attempt()  # type: ignore[misc]
        assert caught.value.quality is Quality.BAD_ADDRESS
    assert (await judged.read(spec("HR1", DataType.UINT16))).values == [1]


async def test_floats_to_the_last_bit(judged: Reader) -> None:
    for number in (25.4, -0.001, 1e-40, 3.4028234663852886e38):
        await judged.write(spec("HR20", DataType.FLOAT32), number)
        words = (await judged.read(spec("HR20", DataType.UINT16, length=2))).values
        assert words == [list(struct.unpack(">2H", struct.pack(">f", number)))]
