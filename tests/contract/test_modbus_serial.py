"""What only a serial line has: silence between frames, and a port that may be missing, taken or pulled out."""

import asyncio
import time
from pathlib import Path

import pytest

from protocols.base import DataType, PlcSession
from protocols.errors import BadAnswer, ConnectFailed, SessionLost
from protocols.registry import driver
from tests.contract.bench import ModbusRtuBench, Reader, spec
from tests.contract.conftest import TIMEOUT_S
from tests.doubles.scripted_device import Step, honest, silent

pytestmark = pytest.mark.parametrize("bench", [ModbusRtuBench], indirect=True)
FIRST, SECOND = spec("HR0", DataType.UINT16), spec("HR1", DataType.UINT16)


async def test_a_line_that_is_never_silent_is_given_up_at_the_deadline(bench: ModbusRtuBench) -> None:
    reader = Reader(bench, bench.driver.connection({**bench.fields(), "baudrate": 300}, TIMEOUT_S))
    await reader.open()
    bench.device.script = lambda _question, answer: [answer, *(0.01, b"\x55") * 200]
    await reader.read(FIRST)
    began = time.monotonic()
    with pytest.raises(BadAnswer, match="is never silent"):
        await reader.read(SECOND)
    assert time.monotonic() - began < 2 * TIMEOUT_S
    await reader.session.close()


async def test_three_and_a_half_characters_of_silence_come_before_each_question(bench: ModbusRtuBench) -> None:
    fields = {**bench.fields(), "baudrate": 1200, "parity": "even"}
    reader = Reader(bench, bench.driver.connection(bench.fields() | {"baudrate": 1200}, 3))
    assert bench.driver.connection(fields, 3).link != reader.connection.link
    await reader.open()
    answered: list[float] = []
    asked: list[float] = []

    def script(_question: bytes, answer: bytes) -> list[Step]:
        asked.append(time.monotonic())
        answered.append(time.monotonic())
        return [answer]

    bench.device.script = script
    for _ in range(5):
        await reader.read(FIRST)
    gaps = [later - earlier for earlier, later in zip(answered, asked[1:], strict=False)]
    assert min(gaps) >= 3.5 * 10 / 1200
    await reader.session.close()


async def open_serial(path: str | Path, **more: object) -> PlcSession:
    rtu = driver("modbus_rtu")
    return await rtu.connect(rtu.connection({"serial_port": str(path), **more}, 1))


async def test_ports_that_can_not_be_opened_say_why(bench: ModbusRtuBench, tmp_path: Path) -> None:
    with pytest.raises(ConnectFailed, match="does not exist: is the adapter plugged in"):
        await open_serial(tmp_path / "ttyUSB9")
    (tmp_path / "file").touch()
    for none in ("/dev/null", tmp_path / "file"):
        with pytest.raises(ConnectFailed, match="is no serial port of this machine"):
            await open_serial(none)
    first = await open_serial(bench.device.path)
    with pytest.raises(ConnectFailed, match="is in use by another program, or by a device"):
        await open_serial(bench.device.path, baudrate=19_200)
    await first.close()
    await (await open_serial(bench.device.path, baudrate=19_200)).close()


async def test_a_pulled_out_adapter_is_noticed_at_once_and_may_come_back(bench: ModbusRtuBench) -> None:
    patient = Reader(bench, bench.driver.connection(bench.fields(), 2))
    await patient.open()
    bench.device.script = silent
    reading = asyncio.create_task(patient.read(FIRST))
    await bench.device.asked.wait()
    began = time.monotonic()
    await bench.device.stop()
    with pytest.raises(SessionLost, match="broke: "):
        await reading
    assert time.monotonic() - began < 1
    with pytest.raises(ConnectFailed, match="does not exist"):
        await patient.open()
    bench.device.script = honest
    bench.put(0, [111])
    await bench.device.start()
    await patient.open()
    assert (await patient.read(FIRST)).values == [111]
    await patient.session.close()
