import pytest

from protocols.base import ByteOrder, DataType, Register, TagSpec
from protocols.errors import Refused
from protocols.xgt.driver import XgtDriver
from protocols.xgt.points import XgtPoint

DRIVER = XgtDriver()
XGK = DRIVER.connection({"host": "10.0.0.7", "family": "xgk"}, 3)
WORDS = (ByteOrder.BIG_ENDIAN, ByteOrder.LITTLE_ENDIAN, ByteOrder.BIG_ENDIAN_SWAP, ByteOrder.LITTLE_ENDIAN_SWAP)


def tag(address: str, data_type: DataType = DataType.UINT16, **more: object) -> TagSpec:
    return TagSpec("t", address, data_type, **more)  # type: ignore[arg-type]


def point(address: str, data_type: DataType = DataType.UINT16, **more: object) -> XgtPoint:
    return DRIVER.point(tag(address, data_type, **more), XGK)


@pytest.mark.parametrize(
    ("address", "data_type", "length", "byte", "size", "words"),
    [
        ("D100", DataType.UINT16, None, 200, 2, 1), ("%MD10", DataType.FLOAT32, None, 40, 4, 2),
        ("%DW100", DataType.FLOAT64, 3, 200, 24, 12), ("D100", DataType.UINT8, None, 200, 1, 1),
        ("D100", DataType.INT8, 3, 200, 5, 3), ("%DB201", DataType.UINT8, None, 201, 1, 1),
        ("%DB201", DataType.UINT8, 3, 201, 3, 2), ("%DB201", DataType.UINT16, None, 201, 2, 2),
        ("D100", DataType.STRING, 5, 200, 5, 3), ("D100", DataType.BOOL, None, 200, 2, 1),
        ("D100.A", DataType.BOOL, None, 201, 1, 1), ("M0172C", DataType.BOOL, 16, 345, 3, 2),
    ],
)  # fmt: skip
def test_places(address: str, data_type: DataType, length: int | None, byte: int, size: int, words: int) -> None:
    placed = point(address, data_type, length=length)
    assert (placed.byte, placed.size, placed.words) == (byte, size, words)


@pytest.mark.parametrize("data_type", [DataType.UINT32, DataType.STRING, DataType.FLOAT64])
def test_names_in_words_all_mean_the_plcs_own_order(data_type: DataType) -> None:
    points = {point("D100", data_type, length=4, byte_order=order) for order in WORDS}
    assert len(points) == 1
    own = ByteOrder.CDAB if data_type is not DataType.STRING else ByteOrder.BADC
    assert points == {point("D100", data_type, length=4, byte_order=own)}


def test_the_bit_may_stand_in_the_address_in_the_field_or_in_both() -> None:
    inside = point("D100.9", DataType.BOOL)
    assert inside == point("D100", DataType.BOOL, bit=9) == point("D100.9", DataType.BOOL, bit=9)
    assert point("M0010A", DataType.BOOL) == point("M10", DataType.BOOL, bit=10) == point("%MX170", DataType.BOOL)
    assert point("T5", DataType.BOOL).contact
    assert not point("T5", DataType.BOOL, bit=0).contact


def test_a_swapped_order_moves_a_bit_to_the_other_byte() -> None:
    assert point("D100.9", DataType.BOOL, byte_order=ByteOrder.DCBA).byte == 200
    assert point("%DB201.1", DataType.BOOL, byte_order=ByteOrder.DCBA).byte == 201


@pytest.mark.parametrize(
    ("spec", "field", "message"),
    [
        (tag("40001"), "address", "is no XGT address"),
        (tag("D100", DataType.STRING), "length", "needs its length in bytes"),
        (tag("D100", DataType.STRING, length=1401), "length", "takes 1401 bytes; one request reads 1400 at most"),
        (tag("%DB1", DataType.STRING, length=1400), "length", "takes 1400 bytes; one request reads 1400 at most"),
        (tag("D100.3"), "data_type", "UINT16 can not be read from 'D100.3', a single bit; expected BOOL"),
        (tag("M0172C"), "data_type", "a single bit; expected BOOL"),
        (tag("%TX5"), "data_type", "a single bit; expected BOOL"),
        (tag("T5", DataType.BOOL, length=4), "length", "one tag a contact"),
        (tag("D100", DataType.BOOL, length=4), "address", "does not say which bit"),
        (tag("%DB100", DataType.BOOL), "address", "does not say which bit"),
        (tag("%DD100", DataType.BOOL), "address", "does not say which bit"),
        (tag("D100.2", DataType.BOOL, bit=3), "bit", "bit is 3, but the address 'D100.2' names bit 2"),
        (tag("%TX5", DataType.BOOL, bit=0), "bit", "a single bit already"),
        (tag("D100", DataType.BOOL, bit=16), "bit", "expected one of a word"),
        (tag("%DB100", DataType.BOOL, bit=8), "bit", "or of a byte"),
        (tag("%DD100", DataType.BOOL, bit=1), "bit", "expected one of a word"),
        (tag("M0", DataType.BOOL, length=9, byte_order=ByteOrder.BADC), "byte_order", "array of bits has no order"),
        (tag("100", register=Register.HOLDING), "register", "is Modbus's"),
        (tag("D100", DataType.STRING, length=4, encoding="utf-16"), "encoding", "ASCII"),
    ],
)
def test_what_can_not_be_placed_is_refused_by_field(spec: TagSpec, field: str, message: str) -> None:
    with pytest.raises(Refused, match=message) as caught:
        DRIVER.point(spec, XGK)
    assert caught.value.field == field


def test_where_the_family_is_not_known_no_tag_may_need_a_large_block() -> None:
    auto = DRIVER.connection({"host": "10.0.0.7"}, 3)
    assert DRIVER.point(tag("D0", length=256), auto).size == 512
    with pytest.raises(Refused, match="takes 514 bytes; one request reads 512 at most"):
        DRIVER.point(tag("D0", length=257), auto)
