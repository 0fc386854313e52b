import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.modbus.words import Kind, Order, from_words, to_words, word_count

ORDERS = st.sampled_from(Order)
INTEGERS = {Kind.UINT16: (0, 2**16 - 1), Kind.INT16: (-(2**15), 2**15 - 1), Kind.INT32: (-(2**31), 2**31 - 1)}


@pytest.mark.parametrize(
    ("order", "words"),
    [
        (Order.ABCD, (0x1234, 0x5678)),
        (Order.DCBA, (0x7856, 0x3412)),
        (Order.BADC, (0x3412, 0x7856)),
        (Order.CDAB, (0x5678, 0x1234)),
    ],
)
def test_32_bits_in_each_order(order: Order, words: tuple[int, ...]) -> None:
    assert to_words(0x12345678, Kind.UINT32, order) == words


def test_floats_are_ieee_754() -> None:
    assert to_words(25.4, Kind.FLOAT32) == (0x41CB, 0x3333)
    assert to_words(25.4, Kind.FLOAT32, Order.CDAB) == (0x3333, 0x41CB)
    assert to_words(1.0, Kind.FLOAT64) == (0x3FF0, 0, 0, 0)
    assert to_words(1.0, Kind.FLOAT64, Order.DCBA) == (0, 0, 0, 0xF03F)


def test_sixteen_bits_swap_bytes_only() -> None:
    assert [to_words(0x1234, Kind.UINT16, order)[0] for order in Order] == [0x1234, 0x3412, 0x3412, 0x1234]


def test_integers_wrap_around() -> None:
    assert to_words(65_537, Kind.UINT16) == (1,)
    assert to_words(-1, Kind.INT32) == (0xFFFF, 0xFFFF)


def test_a_text_is_utf_8_high_byte_first_and_its_words_are_never_reversed() -> None:
    assert to_words("가A", Kind.STRING, length=6) == (0xEAB0, 0x8041, 0)
    assert to_words("가A", Kind.STRING, Order.DCBA, length=6) == (0xB0EA, 0x4180, 0)
    assert to_words("가", Kind.STRING, length=4, encoding="cp949") == (0xB0A1, 0)


@given(st.sampled_from(sorted(INTEGERS)), ORDERS, st.data())
def test_integers_come_back(kind: Kind, order: Order, data: st.DataObject) -> None:
    value = data.draw(st.integers(*INTEGERS[kind]))
    words = to_words(value, kind, order)
    assert len(words) == word_count(kind, 0)
    assert from_words(words, kind, order) == value


@given(st.floats(width=32, allow_nan=False), ORDERS)
def test_floats_come_back(value: float, order: Order) -> None:
    assert from_words(to_words(value, Kind.FLOAT32, order), Kind.FLOAT32, order) == value
    assert from_words(to_words(value, Kind.FLOAT64, order), Kind.FLOAT64, order) == value


@given(st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=10), ORDERS)
def test_texts_come_back(text: str, order: Order) -> None:
    assert from_words(to_words(text, Kind.STRING, order, length=40), Kind.STRING, order) == text
