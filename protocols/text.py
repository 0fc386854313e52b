"""Strings in a PLC's memory: fields of a fixed size, padded one way or another, in the plant's encoding."""

import codecs

from protocols.errors import Refused

# What Korean machines call euc-kr is Microsoft's superset of it.
_KOREAN = frozenset({"euckr", "korean", "ms949", "uhc", "cp949", "ksc5601", "ksc56011987", "ksx1001", "windows949"})


def canonical_encoding(name: str) -> str:
    """The codec meant by an encoding's name. Raises `Refused` on ``encoding``, also where ASCII is not one byte."""
    bare = name.strip().lower().replace("-", "").replace("_", "").replace(" ", "")
    codec = "cp949" if bare in _KOREAN else name.strip()
    try:
        plain = "A ".encode(codec) == b"A "
        known = codecs.lookup(codec).name
    except (LookupError, ValueError):
        raise Refused(
            "encoding", f"{name!r} is not a known encoding; expected utf-8, cp949, shift_jis, latin-1, …"
        ) from None
    if not plain:
        raise Refused("encoding", f"{name!r} does not write ASCII in one byte each, as PLC strings do")
    return known


def decode_counted(field: bytes, encoding: str) -> str:
    """The text of an S7 STRING: a byte each for how many bytes it may have and has, then those bytes.

    Raises `ValueError` for a header that says it has more than it may, as no STRING does.
    """
    most, actual = field[0], field[1]
    if actual > most:
        raise ValueError(f"a STRING of at most {most} bytes can not have {actual}")
    return decode_text(field[2 : 2 + actual], encoding)


def decode_wide(field: bytes) -> str:
    """The text of an S7 WSTRING: a word each for how many characters it may have and has, then those in UTF-16.

    Raises `ValueError` as `decode_counted` does.
    """
    most, actual = int.from_bytes(field[:2], "big"), int.from_bytes(field[2:4], "big")
    if actual > most:
        raise ValueError(f"a WSTRING of at most {most} characters can not have {actual}")
    characters = field[4 : 4 + 2 * actual]
    text = codecs.getincrementaldecoder("utf-16-be")().decode(characters, final=False)
    return text.partition("\0")[0].rstrip(" \uffff")


def decode_text(field: bytes, encoding: str) -> str:
    """The text of a string field: up to the first NUL, without padding (NUL, 0xFF, space) at its end.

    A character that the end of the field cuts in two is left out. Raises `UnicodeDecodeError` for what the
    encoding does not know.
    """
    text = field.partition(b"\0")[0].rstrip(b"\xff ")
    if len(text) < len(field):
        return text.decode(encoding)
    return codecs.getincrementaldecoder(encoding)().decode(text, final=False)
