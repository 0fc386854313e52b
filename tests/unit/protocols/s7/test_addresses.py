import pytest

from protocols import grammars
from protocols.errors import Refused
from protocols.s7.addresses import Area, S7Address, parse_address, range_name


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("DB1.DBX0.0", S7Address(Area.DB, 0, 1, bit=0)),
        ("db65535.dbx65535.7", S7Address(Area.DB, 65535, 65535, bit=7)),
        ("DB1.DBB1", S7Address(Area.DB, 1, 1, width=1)),
        (" DB1.DBW2 ", S7Address(Area.DB, 2, 1, width=2)),
        ("%DB1.DBD4", S7Address(Area.DB, 4, 1, width=4)),
        ("DB1.STRING10.20", S7Address(Area.DB, 10, 1, text="STRING", length=20)),
        ("DB1.WString10", S7Address(Area.DB, 10, 1, text="WSTRING")),
        ("M0.0", S7Address(Area.FLAGS, 0, bit=0)),
        ("mb1", S7Address(Area.FLAGS, 1, width=1)),
        ("IW2", S7Address(Area.INPUTS, 2, width=2)),
        ("ED4", S7Address(Area.INPUTS, 4, width=4)),
        ("Q3.7", S7Address(Area.OUTPUTS, 3, bit=7)),
        ("AX3.7", S7Address(Area.OUTPUTS, 3, bit=7)),
        ("T0", S7Address(Area.TIMERS, 0)),
        ("C15", S7Address(Area.COUNTERS, 15)),
        ("Z15", S7Address(Area.COUNTERS, 15)),
        ("M 0.0", S7Address(Area.FLAGS, 0, bit=0)),
        ("E   4.3", S7Address(Area.INPUTS, 4, bit=3)),
        ("DB 1.DBW 2", S7Address(Area.DB, 2, 1, width=2)),
        ("T 5", S7Address(Area.TIMERS, 5)),
    ],
)
def test_every_form(text: str, address: S7Address) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize(
    "text", ["DB1.DBX0.0", "DB1.DBB1", "DB1.DBW2", "DB1.DBD4", "DB1.STRING10.20", "DB1.WSTRING10", "M0.0", "EW4", "Z5"]
)
def test_the_grammar_knows_what_the_parser_knows(text: str) -> None:
    assert grammars.fits("s7", text)
    parse_address(text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("40001", "'40001' is no S7 address; expected DB1.DBX0.0, .* T0 or C0"),
        ("DB0.DBW0", "DB1 to DB65535"),
        ("DB1.DBX0", r"names no bit; expected DB1.DBX0.0 to DB1.DBX0.7"),
        ("M10", "names no bit; expected M10.0 to M10.7, or B, W or D before the number"),
        ("DB1.DBX0.8", "names bit 8; a byte has the bits 0 to 7"),
        ("DB1.DBW2.3", r"names a bit of more than a bit; expected it as DB1.DBX2.0 to .7"),
        ("DB1.DBB65536", "expected 0 to 65535"),
        ("PIW256", "peripheral memory"),
        ("IW256:P", "peripheral memory"),
        ("DB1.DBL0", "no S7 address"),
        ("T1.0", "no S7 address"),
        ("DB1.DBW2 3", "no S7 address"),
    ],
)
def test_what_is_none_is_refused_with_what_is_expected(text: str, why: str) -> None:
    with pytest.raises(Refused, match=why) as caught:
        parse_address(text)
    assert caught.value.field == "address"


def test_ranges_are_named_as_engineers_do() -> None:
    assert range_name(Area.DB, 3, 0, 462) == "DB3.DBB0-461"
    assert range_name(Area.FLAGS, 0, 4, 1) == "MB4"
    assert range_name(Area.TIMERS, 0, 0, 8) == "T0-7"
