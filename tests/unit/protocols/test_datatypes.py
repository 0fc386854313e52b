import pytest

from protocols.base import ByteOrder, DataType
from protocols.datatypes import big_endian_letters, parse_byte_order, parse_data_type, refuse_s7_types
from protocols.errors import Refused

ALIASES = {
    "BIT": "BOOL", "BYTE": "UINT8", "WORD": "UINT16", "DWORD": "UINT32", "LWORD": "UINT64", "SINT": "INT8",
    "USINT": "UINT8", "INT": "INT16", "UINT": "UINT16", "DINT": "INT32", "UDINT": "UINT32", "LINT": "INT64",
    "ULINT": "UINT64", "REAL": "FLOAT32", "LREAL": "FLOAT64", "FLOAT": "FLOAT32", "DOUBLE": "FLOAT64",
}  # fmt: skip


@pytest.mark.parametrize(("alias", "meant"), [*ALIASES.items(), *((each, each) for each in DataType)])
def test_every_name_of_a_type_in_any_spelling(alias: str, meant: str) -> None:
    for spelling in (alias, alias.lower(), f" {alias.title()} ", f"{alias[:-1]}_{alias[-1]}"):
        assert parse_data_type(spelling) == meant


def test_an_unknown_type_is_refused_with_the_known_ones() -> None:
    with pytest.raises(Refused, match=r"'INT24' is not a known type; expected one of BOOL, .*UINT16.*WORD") as caught:
        parse_data_type("INT24")
    assert caught.value.field == "data_type"


@pytest.mark.parametrize("name", ["CHAR", "wstring", "TIME_OF_DAY", "tod", "DATE_AND_TIME", "DT", "S5TIME"])
def test_a_type_of_s7_is_known_and_refused_by_the_others_for_what_it_is(name: str) -> None:
    data_type = parse_data_type(name)
    with pytest.raises(Refused, match=f"{data_type} is a type of Siemens S7 .* Modbus; .* BOOL, .*BCD32$") as it:
        refuse_s7_types(data_type, "Modbus")
    assert it.value.field == "data_type"
    refuse_s7_types(DataType.UINT16, "Modbus")


@pytest.mark.parametrize(
    ("text", "order", "letters"),
    [
        ("BIG_ENDIAN", ByteOrder.BIG_ENDIAN, ByteOrder.ABCD),
        ("little-endian", ByteOrder.LITTLE_ENDIAN, ByteOrder.DCBA),
        ("bigEndianSwap", ByteOrder.BIG_ENDIAN_SWAP, ByteOrder.BADC),
        ("Little Endian Swap", ByteOrder.LITTLE_ENDIAN_SWAP, ByteOrder.CDAB),
        ("cdab", ByteOrder.CDAB, ByteOrder.CDAB),
        ("ABCD", ByteOrder.ABCD, ByteOrder.ABCD),
    ],
)
def test_byte_orders(text: str, order: ByteOrder, letters: ByteOrder) -> None:
    assert parse_byte_order(text) is order
    assert big_endian_letters(order) is letters


def test_an_unknown_order_is_refused_with_the_known_ones() -> None:
    with pytest.raises(Refused, match=r"MIDDLE.*expected one of BIG_ENDIAN.*CDAB") as caught:
        parse_byte_order("MIDDLE")
    assert caught.value.field == "byte_order"
