"""Every data type in every byte order, from bytes that this file lays out by itself."""

import struct
from decimal import Decimal

import pytest

from protocols.base import ByteOrder, DataType, Value
from protocols.errors import RequestRefused, Unwritable
from protocols.quality import Quality
from tests.contract.bench import WORD_BENCHES, Bench, Reader, spec

pytestmark = pytest.mark.parametrize("bench", WORD_BENCHES, indirect=True)

LETTERS = (ByteOrder.ABCD, ByteOrder.CDAB, ByteOrder.BADC, ByteOrder.DCBA)
EXAMPLES: list[tuple[DataType, bytes, Value]] = [
    (DataType.INT16, struct.pack(">h", -12345), -12345),
    (DataType.UINT16, b"\xfe\x01", 0xFE01),
    (DataType.INT32, struct.pack(">i", -123456789), -123456789),
    (DataType.UINT32, b"\xf1\x02\x03\x04", 0xF1020304),
    (DataType.INT64, struct.pack(">q", -(2**62) - 1), -(2**62) - 1),
    (DataType.UINT64, struct.pack(">Q", 2**64 - 3), 2**64 - 3),
    (DataType.FLOAT32, struct.pack(">f", 25.4), 25.4),
    (DataType.FLOAT64, struct.pack(">d", 0.1 + 0.2), 0.1 + 0.2),
    (DataType.BCD16, b"\x12\x34", 1234),
    (DataType.BCD32, b"\x12\x34\x56\x78", 12345678),
    (DataType.BOOL, b"\x01\x00", True),
]


def laid_out(value: bytes, order: ByteOrder) -> list[int]:
    """The words in which a value stands whose bytes, most significant first, are given."""
    words = [value[at : at + 2] for at in range(0, len(value), 2)]
    if order in (ByteOrder.CDAB, ByteOrder.DCBA):
        words.reverse()
    if order in (ByteOrder.BADC, ByteOrder.DCBA):
        words = [word[::-1] for word in words]
    return [int.from_bytes(word, "big") for word in words]


@pytest.mark.parametrize("order", LETTERS)
@pytest.mark.parametrize(("data_type", "raw", "value"), EXAMPLES, ids=[str(example[0]) for example in EXAMPLES])
async def test_every_type_in_every_order(
    bench: Bench, reader: Reader, data_type: DataType, raw: bytes, value: Value, order: ByteOrder
) -> None:
    bench.put(10, laid_out(raw, order))
    cycle = await reader.read(spec(bench.word(10), data_type, order))
    assert cycle.values == [value]
    assert type(cycle.values[0]) is type(value)
    assert cycle.bad == {}


@pytest.mark.parametrize("order", LETTERS)
async def test_arrays_in_every_order(bench: Bench, reader: Reader, order: ByteOrder) -> None:
    numbers = [1.5, -2.25, 1e10]
    bench.put(4, [word for number in numbers for word in laid_out(struct.pack(">f", number), order)])
    cycle = await reader.read(spec(bench.word(4), DataType.FLOAT32, order, length=3))
    assert cycle.values == [numbers]


@pytest.mark.parametrize("order", LETTERS)
async def test_bytes_are_the_low_ones_of_their_registers(bench: Bench, reader: Reader, order: ByteOrder) -> None:
    if bench.byte_addressed:
        pytest.skip("its bytes have addresses of their own")
    bench.put(0, [0x11FE, 0x2203])
    cycle = await reader.read(
        spec(bench.word(0), DataType.INT8, order),
        spec(bench.word(0), DataType.UINT8, order),
        spec(bench.word(0), DataType.UINT8, order, length=2),
    )
    assert cycle.values == [-2, 254, [254, 3]]


@pytest.mark.parametrize("bit", range(16))
async def test_every_bit_of_a_word(bench: Bench, reader: Reader, bit: int) -> None:
    bench.put(0, [1 << bit])
    cycle = await reader.read(*(spec(bench.word(0, other), DataType.BOOL) for other in range(16)))
    assert cycle.values == [other == bit for other in range(16)]


async def test_a_bit_follows_its_word_into_a_swapped_order(bench: Bench, reader: Reader) -> None:
    if bench.byte_addressed:
        pytest.skip("its bits have addresses of their own, which no order moves")
    bench.put(0, [0x0100])
    cycle = await reader.read(
        spec(bench.word(0, 0), DataType.BOOL, ByteOrder.DCBA), spec(bench.word(0), DataType.UINT16, ByteOrder.DCBA)
    )
    assert cycle.values == [True, 1]


@pytest.mark.parametrize("order", LETTERS)
@pytest.mark.parametrize(
    ("text", "encoding", "length"),
    [("MODEL-7", "utf-8", 7), ("프레스", "utf-8", 9), ("프레스 3호", "cp949", 12), ("", "utf-8", 4)],
)
async def test_strings(bench: Bench, reader: Reader, text: str, encoding: str, length: int, order: ByteOrder) -> None:
    raw = bench.text(text.encode(encoding), length)
    raw += bytes(len(raw) % 2)
    swapped = ByteOrder.DCBA if order in (ByteOrder.BADC, ByteOrder.DCBA) else ByteOrder.ABCD
    words = [word for at in range(0, len(raw), 2) for word in laid_out(raw[at : at + 2], swapped)]
    bench.put(20, words)
    cycle = await reader.read(spec(bench.word(20), DataType.STRING, order, length=length, encoding=encoding))
    assert cycle.values == [text]


async def test_values_are_scaled_as_a_person_reckons(bench: Bench, reader: Reader) -> None:
    bench.put(0, [254, *laid_out(struct.pack(">f", 25.4), ByteOrder.ABCD), 7])
    cycle = await reader.read(
        spec(bench.word(0), DataType.UINT16, scale=Decimal("0.1")),
        spec(bench.word(1), DataType.FLOAT32, scale=Decimal("0.1"), offset=Decimal("-1.1")),
        spec(bench.word(3), DataType.UINT16, scale=Decimal("10"), offset=Decimal("-1")),
        spec(bench.word(3), DataType.BOOL, scale=Decimal("10")),
    )
    assert cycle.values == [25.4, 1.44, 69, True]
    assert type(cycle.values[2]) is int


async def test_what_is_no_value_is_named_and_spoils_nothing_else(bench: Bench, reader: Reader) -> None:
    bench.put(0, [0x7FC0, 0, 0x7F80, 0, 0x12AF, 0xFFFE, 5])
    text = bench.text(b"\xff\xfe", 2)
    bench.put(10, [int.from_bytes(text[at : at + 2], "big") for at in range(0, len(text), 2)])
    cycle = await reader.read(
        spec(bench.word(0), DataType.FLOAT32),
        spec(bench.word(2), DataType.FLOAT32),
        spec(bench.word(0), DataType.FLOAT32, length=2),
        spec(bench.word(4), DataType.BCD16),
        spec(bench.word(10), DataType.STRING, length=2),
        spec(bench.word(6), DataType.UINT16),
        spec(bench.word(6), DataType.UINT16),
    )
    assert cycle.values == [None, None, None, None, None, 5, 5]
    assert cycle.bad == {
        0: Quality.NOT_A_NUMBER,
        1: Quality.NOT_A_NUMBER,
        2: Quality.NOT_A_NUMBER,
        3: Quality.OUT_OF_RANGE,
        4: Quality.BAD_ENCODING,
    }


@pytest.mark.parametrize("order", LETTERS)
@pytest.mark.parametrize(("data_type", "raw", "value"), EXAMPLES, ids=[str(example[0]) for example in EXAMPLES])
async def test_every_type_in_every_order_is_written_and_read_back(
    bench: Bench, reader: Reader, data_type: DataType, raw: bytes, value: Value, order: ByteOrder
) -> None:
    if bench.byte_addressed and data_type is DataType.BOOL:
        pytest.skip("its bits have addresses of their own")
    words = len(raw) // 2
    bench.put(9, [0x5A5A] * (words + 2))
    tag, around = spec(bench.word(10), data_type, order), spec(bench.word(9), DataType.UINT16, length=words + 2)
    await reader.write(tag, value)
    cycle = await reader.read(tag, around)
    assert cycle.values[0] == value
    written = [1] if data_type is DataType.BOOL else laid_out(raw, order)
    assert cycle.values[1] == [0x5A5A, *written, 0x5A5A]


@pytest.mark.parametrize("order", LETTERS)
async def test_arrays_and_strings_are_written_and_read_back(bench: Bench, reader: Reader, order: ByteOrder) -> None:
    array = spec(bench.word(4), DataType.FLOAT32, order, length=3)
    text = spec(bench.word(20), DataType.STRING, order, length=12, encoding="cp949")
    await reader.write(array, [1.5, -2.25, 1e10])
    assert (await reader.read(array)).values == [[1.5, -2.25, 1e10]]
    if bench.byte_addressed and order is not ByteOrder.ABCD:
        pytest.skip("its texts declare their length, and stand in one order only")
    empty = bench.text(b"", 12)
    bench.put(20, [int.from_bytes(empty[at : at + 2], "big") for at in range(0, len(empty), 2)])
    await reader.write(text, "프레스 3호")
    assert (await reader.read(text)).values == ["프레스 3호"]


async def test_what_is_written_is_scaled_back(bench: Bench, reader: Reader) -> None:
    tag = spec(bench.word(0), DataType.INT16, scale=Decimal("0.1"), offset=Decimal("-40"))
    await reader.write(tag, 25.4)
    assert (await reader.read(tag, spec(bench.word(0), DataType.INT16))).values == [25.4, 654]


@pytest.mark.parametrize("bit", range(16))
async def test_a_bit_is_written_and_its_word_is_left_alone(bench: Bench, reader: Reader, bit: int) -> None:
    bench.put(0, [0x5A5A])
    tag, word = spec(bench.word(0, bit), DataType.BOOL), spec(bench.word(0), DataType.UINT16)
    await reader.write(tag, True)
    assert (await reader.read(tag, word)).values == [True, 0x5A5A | 1 << bit]
    await reader.write(tag, False)
    assert (await reader.read(tag, word)).values == [False, 0x5A5A & ~(1 << bit)]


async def test_a_refused_write_changes_nothing_and_the_session_goes_on(bench: Bench, reader: Reader) -> None:
    bench.put(5, [55])
    bench.remove(9)
    with pytest.raises(RequestRefused) as caught:
        await reader.write(spec(bench.word(9), DataType.UINT16), 1)
    assert str(caught.value).startswith(reader.connection.where)
    await reader.write(spec(bench.word(5), DataType.UINT16), 56)
    assert (await reader.read(spec(bench.word(5), DataType.UINT16))).values == [56]


async def test_a_value_that_does_not_fit_is_never_sent(bench: Bench, reader: Reader) -> None:
    values: list[tuple[Value, str]] = [
        (65536, "out_of_range"),
        ("7", "wrong_type"),
        (True, "wrong_type"),
        ([1], "wrong_type"),
    ]
    for value, code in values:
        with pytest.raises(Unwritable) as caught:
            await reader.write(spec(bench.word(0), DataType.UINT16), value)
        assert caught.value.code == code
    assert bench.device.questions == []
