import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import Refused
from protocols.text import canonical_encoding, decode_text


@pytest.mark.parametrize(
    ("field", "encoding", "text"),
    [
        (b"AUTO", "utf-8", "AUTO"),
        (b"AUTO\0XYZ", "utf-8", "AUTO"),
        (b"AUTO  \0\0", "utf-8", "AUTO"),
        (b"AUTO\xff\xff\xff", "utf-8", "AUTO"),
        (b" A B ", "utf-8", " A B"),
        (b"\0\0\0\0", "utf-8", ""),
        (b"\xff\xff", "cp949", ""),
        ("프레스".encode()[:8], "utf-8", "프레"),
        ("프레스".encode("cp949")[:5], "cp949", "프레"),
        ("プレス".encode("shift_jis")[:5], "shift_jis", "プレ"),
        (b"caf\xe9", "latin-1", "café"),
    ],
)
def test_padding_and_cut_characters_go(field: bytes, encoding: str, text: str) -> None:
    assert decode_text(field, encoding) == text


@pytest.mark.parametrize("field", [b"A\xc3(B", b"\x80AB", b"AB\xc3\0\0", b"AB\xf8"])
def test_what_the_encoding_does_not_know_is_refused(field: bytes) -> None:
    with pytest.raises(UnicodeDecodeError):
        decode_text(field, "utf-8")


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), st.integers(0, 40))
def test_any_utf8_text_cut_anywhere_is_a_beginning_of_it(text: str, size: int) -> None:
    assert text.startswith(decode_text(text.encode()[:size], "utf-8"))


@pytest.mark.parametrize(
    "name", ["cp949", "CP949", "euc-kr", "EUC_KR", "ms949", "uhc", "ks_c_5601", "ks_c_5601-1987", "korean"]
)
def test_every_korean_name_is_the_large_set(name: str) -> None:
    assert canonical_encoding(name) == "cp949"
    assert decode_text("똠".encode("cp949"), canonical_encoding(name)) == "똠"


@pytest.mark.parametrize("name", ["utf-16", "utf-32-le", "utf-8-sig", "klingon", "base64", ""])
def test_encodings_that_no_plc_string_has(name: str) -> None:
    with pytest.raises(Refused) as caught:
        canonical_encoding(name)
    assert caught.value.field == "encoding"
