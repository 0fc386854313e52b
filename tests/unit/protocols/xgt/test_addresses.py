import pytest

from protocols.errors import Refused
from protocols.xgt.addresses import XgtAddress as At
from protocols.xgt.addresses import parse_address
from protocols.xgt.driver import XgtDriver
from protocols.xgt.families import FAMILIES

XGK, XGB = FAMILIES["xgk"], FAMILIES["xgb"]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("%DW100", At("D", 200, 2)), ("%DB200", At("D", 200, 1)), ("%dw03010", At("D", 6020, 2)),
        ("%MX2764", At("M", 344, 2, 12)), ("%MX172C", At("M", 344, 2, 12)),
        ("%MB40", At("M", 40, 1)), ("%MW20", At("M", 40, 2)), ("%MD10", At("M", 40, 4)),
        ("%ML5", At("M", 40, 8)), ("%MD510", At("M", 2040, 4)), ("%ML100", At("M", 800, 8)),
        ("D100", At("D", 200, 2)), ("d100.5", At("D", 200, 2, 5)), ("D100.A", At("D", 200, 2, 10)),
        ("D100.15", At("D", 200, 2, 15)), ("M100.10", At("M", 200, 2, 10)),
        ("U03.12.11", At("U", 2 * (96 + 12), 2, 11)), ("K100.5", At("K", 200, 2, 5)), ("M100.8", At("M", 200, 2, 8)),
        (" M0172C ", At("M", 344, 2, 12)), ("M100", At("M", 200, 2)), ("K0010f", At("K", 20, 2, 15)),
        ("L00012", At("L", 24, 2)), ("M100.5", At("M", 200, 2, 5)), ("T5", At("T", 10, 2)),
        ("%TW5", At("T", 10, 2)), ("%CB10", At("C", 10, 1)), ("Z1", At("Z", 2, 2)),
        ("R7", At("R", 14, 2)), ("W65535", At("W", 131070, 2)), ("N9", At("N", 18, 2)),
        ("%FX16", At("F", 2, 2, 0)), ("%DW100.15", At("D", 200, 2, 15)), ("%DW100.f", At("D", 200, 2, 15)),
        ("%DB201.7", At("D", 201, 1, 7)), ("%TX5", At("T", 5, 0)), ("%CX2047", At("C", 2047, 0)),
        ("%IX1.2.35", At("I", 148, 2, 3)), ("%QW0.3.1", At("Q", 26, 2)), ("%IW7", At("I", 14, 2)),
        ("%UW1.2.31", At("U", 2 * (512 + 64 + 31), 2)), ("U03.12", At("U", 2 * (96 + 12), 2)),
        ("U1A.5.F", At("U", 2 * (512 + 320 + 5), 2, 15)), ("UF.0", At("U", 2 * 480, 2)),
    ],
)  # fmt: skip
def test_addresses(text: str, address: At) -> None:
    assert parse_address(text, XGK) == address
    assert XgtDriver().fits(text) or text in ("M100.5",)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("M00100", At("M", 20, 2, 0)), ("M100", At("M", 20, 2, 0)), ("P5", At("P", 0, 2, 5)),
        ("M0172C", At("M", 344, 2, 12)), ("T5", At("T", 5, 0)), ("C0012", At("C", 12, 0)),
        ("D100", At("D", 200, 2)), ("%MW100", At("M", 200, 2)), ("T5.0", At("T", 10, 2, 0)),
    ],
)  # fmt: skip
def test_where_digits_leave_it_open_a_wanted_bit_decides(text: str, address: At) -> None:
    assert parse_address(text, XGK, as_bit=True) == address


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("40001", "is no XGT address; expected D100 or D100.A"),
        ("D", "is no XGT address"),
        ("DW100", "is no XGT address"),
        ("D100.16", "is no XGT address"),
        ("D１００", "is no XGT address"),
        ("%D100", "is no XGT address"),
        ("S1", "is no XGT address"),
        ("U100", "is no XGT address"),
        ("%SW1", "is in device S; expected one of P, M, L, K, F, T, C, D, N, R, W, Z, U, I, Q"),
        ("%AW1", "is in device A"),
        ("%DW10F", "is not a number after %DW"),
        ("%DB1.8", "names bit 8; a byte has the bits 0 to 7"),
        ("%DD1.3", "names a bit of more than a word"),
        ("%MX17.2", "has a dot in the number of a bit"),
        ("%TX1F", "is not the number of a contact"),
        ("%IW3.5", "leaves slot and bit open"),
        ("%IX0.16.0", "names a slot past 15"),
        ("%IX0.0.64", "is past the 64 bits of a slot"),
        ("%UW0.0.32", "is past the 512 bits of a slot"),
        ("U00.32", "names a word past the 32 of a slot"),
        ("D9999999", "is past the end of every device"),
    ],
)
def test_what_is_no_address_is_refused_with_what_is_expected(text: str, message: str) -> None:
    with pytest.raises(Refused, match=message) as caught:
        parse_address(text, XGK)
    assert caught.value.field == "address"


def test_on_xgb_a_bit_by_number_could_be_either_of_two() -> None:
    with pytest.raises(Refused, match="'%MX2764' is M0172C on some XGB and M02764 on others"):
        parse_address("%MX2764", XGB)
    assert parse_address("%MX172C", XGB) == parse_address("M0172C", XGB) == parse_address("M172.C", XGB)
    assert parse_address("%DX17", XGB) == At("D", 2, 2, 1)


def test_d1234_is_the_byte_2468() -> None:
    assert parse_address("D1234", XGK).byte == parse_address("%DB2468", XGK).byte
