import pytest

from protocols.base import ByteOrder, DataType, TagSpec
from protocols.errors import Refused
from protocols.layout import Field
from protocols.words import field_at, in_words, is_whole, merged, own_bytes, own_mask

OWN = [
    (DataType.UINT16, None, None, 0x1234, "1234", "ffff"),
    (DataType.UINT8, None, None, 0x12, "0012", "00ff"),
    (DataType.INT8, None, 2, [-1, 1], "00ff0001", "00ff00ff"),
    (DataType.BOOL, 0, None, True, "0001", "0001"),
    (DataType.BOOL, 9, None, True, "0200", "0200"),
    (DataType.BOOL, None, None, True, "0001", "ffff"),
    (DataType.STRING, None, 3, "ABC", "41424300", "ffffff00"),
    (DataType.UINT32, None, None, 0x12345678, "12345678", "ffffffff"),
]


@pytest.mark.parametrize(("data_type", "bit", "length", "value", "own", "mask"), OWN)
def test_a_tag_touches_its_own_bits_and_no_others(
    data_type: DataType, bit: int | None, length: int | None, value: object, own: str, mask: str
) -> None:
    place = in_words(TagSpec("t", "W0", data_type, ByteOrder.ABCD, length=length), bit)
    assert own_bytes(place, value).hex() == own  # type: ignore[arg-type]
    assert own_mask(place).hex() == mask
    assert len(own) == 4 * place.size
    assert is_whole(own_mask(place)) == (set(mask) == {"f"})


def test_what_is_not_the_tags_own_stays_as_it_was() -> None:
    assert merged(b"\xaa\xaa", b"\x02\x00", b"\x02\x00") == b"\xaa\xaa"
    assert merged(b"\xaa\xaa", b"\x00\x01", b"\x00\xff") == b"\xaa\x01"


def test_a_bit_of_swapped_bytes_lies_in_the_other_one() -> None:
    places = [in_words(TagSpec("t", "W0", DataType.BOOL, order), 9) for order in (ByteOrder.ABCD, ByteOrder.BADC)]
    assert [field_at(place, 7, 3) for place in places] == [
        Field(7, 6, places[0].reading, 1),
        Field(7, 7, places[1].reading, 1),
    ]


@pytest.mark.parametrize(("data_type", "length"), [(DataType.BOOL, 4), (DataType.STRING, None)])
def test_an_array_of_truths_and_a_text_without_a_length_have_no_place(data_type: DataType, length: int | None) -> None:
    with pytest.raises(Refused) as caught:
        in_words(TagSpec("t", "W0", data_type, length=length), None)
    assert caught.value.field == "length"
