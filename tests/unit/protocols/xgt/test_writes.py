"""Writes, as a PLC of the tests carries them out."""

import struct

import pytest

from protocols.base import Cycle, DataType, TagSpec, Value
from protocols.errors import RequestRefused, Unwritable
from protocols.layout import Reading
from protocols.xgt import writes
from protocols.xgt.driver import XgtDriver
from tests.doubles.xgt_device import XgtDevice
from tests.unit.protocols.xgt.test_points import tag

DRIVER = XgtDriver()
CONNECTION = DRIVER.connection({"host": "10.0.0.7", "family": "xgk"}, 3)
FORMATS = {
    DataType.UINT16: "<H",
    DataType.UINT8: "<B",
    DataType.INT32: "<i",
    DataType.FLOAT32: "<f",
    DataType.FLOAT64: "<d",
    DataType.BOOL: "<H",
}


@pytest.fixture(autouse=True)
def encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    """The PLC's own order, reckoned apart from the codec."""

    def encode(reading: Reading, value: Value) -> bytes:
        if reading.data_type is DataType.STRING:
            return str(value).encode(reading.encoding)
        values = value if isinstance(value, list) else [value]
        return b"".join(struct.pack(FORMATS[reading.data_type], each) for each in values)

    monkeypatch.setattr(writes, "encode_value", encode)


@pytest.mark.parametrize(
    ("spec", "value", "order"),
    [
        (tag("D100"), 0x1234, "5800 0200 0000 0100 0600 254457313030 0200 3412"),
        (tag("%MW100"), 0x1234, "5800 0200 0000 0100 0600 254D57313030 0200 3412"),
        (tag("%DB201", DataType.UINT8), 7, "5800 0100 0000 0100 0600 254442323031 0100 07"),
        (tag("D100", DataType.UINT8), 7, "5800 0100 0000 0100 0600 254442323030 0100 07"),
        (tag("D100", DataType.INT32), -2, "5800 1400 0000 0100 0600 254442323030 0400 FEFFFFFF"),
        (tag("D100", DataType.STRING, length=5), "AB", "5800 1400 0000 0100 0600 254442323030 0500 4142000000"),
        (tag("%DB201"), 0x1234, "5800 1400 0000 0100 0600 254442323031 0200 3412"),
    ],
)
def test_orders(spec: TagSpec, value: Value, order: str) -> None:
    write = DRIVER.encode(CONNECTION, DRIVER.point(spec, CONNECTION), value)
    assert not isinstance(write.order, writes.BitOfWord)
    assert write.order.body == bytes.fromhex(order)


@pytest.mark.parametrize(
    ("spec", "value"),
    [
        (tag("D100"), 65535), (tag("%MW7", DataType.BOOL), True), (tag("%DB201", DataType.UINT8), 200),
        (tag("D9", DataType.FLOAT64), 0.1), (tag("K3", DataType.INT32, length=3), [1, -2, 3]),
        (tag("D50", DataType.STRING, length=9), "프레스"), (tag("M0010C", DataType.BOOL), True),
        (tag("D100.A", DataType.BOOL), False), (tag("%DB201.3", DataType.BOOL), True),
    ],
)  # fmt: skip
async def test_what_is_written_is_read_back_and_nothing_else_is_changed(spec: TagSpec, value: Value) -> None:
    device = XgtDevice()
    for letter in "DMK":
        device.put(letter, 0, [0xA5A5] * 200)
    await device.start()
    connection = DRIVER.connection({"host": "127.0.0.1", "port": device.port, "family": "xgk"}, 3)
    point = DRIVER.point(spec, connection)
    session = await DRIVER.connect(connection)
    before = {letter: dict(memory) for letter, memory in device.memory.items()}
    await session.write(DRIVER.encode(connection, point, value))
    cycle = Cycle([None])
    (request,) = DRIVER.compile(connection, [point])
    await session.read(request, cycle)
    assert cycle.values == [value]
    changed = {
        (letter, byte) for letter in "DMK" for byte in range(400) if device.memory[letter][byte] != before[letter][byte]
    }
    assert changed <= {(point.device, point.byte + place) for place in range(point.size)}
    await session.close()
    await device.stop()


async def test_other_bits_of_the_word_stay_as_they_were() -> None:
    device = XgtDevice()
    device.put("M", 172, [0b0101])
    await device.start()
    connection = DRIVER.connection({"host": "127.0.0.1", "port": device.port}, 3)
    session = await DRIVER.connect(connection)
    await session.write(DRIVER.encode(connection, DRIVER.point(tag("M0172C", DataType.BOOL), connection), 1))
    assert (device.memory["M"][344], device.memory["M"][345]) == (0b0101, 0x10)
    await session.write(DRIVER.encode(connection, DRIVER.point(tag("M01720", DataType.BOOL), connection), False))
    assert (device.memory["M"][344], device.memory["M"][345]) == (0b0100, 0x10)
    device.missing.add(("M", 172))
    with pytest.raises(RequestRefused, match="%MW172: past the end of the device"):
        await session.write(DRIVER.encode(connection, DRIVER.point(tag("M172"), connection), 1))
    await session.close()
    await device.stop()


@pytest.mark.parametrize(
    ("spec", "value", "code"),
    [
        (tag("T5", DataType.BOOL), True, "not_writable"),
        (tag("F0"), 1, "not_writable"),
        (tag("D0", DataType.UINT8, length=2), [1, 2], "not_writable"),
        (tag("M00000", DataType.BOOL, length=4), [True] * 4, "not_writable"),
        (tag("M00000", DataType.BOOL), 2, "wrong_type"),
        (tag("M00000", DataType.BOOL), "on", "wrong_type"),
    ],
)
def test_what_can_not_be_written(spec: TagSpec, value: Value, code: str) -> None:
    with pytest.raises(Unwritable) as caught:
        DRIVER.encode(CONNECTION, DRIVER.point(spec, CONNECTION), value)
    assert caught.value.code == code
