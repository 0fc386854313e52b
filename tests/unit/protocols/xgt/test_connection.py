import pytest

from protocols.errors import Refused
from protocols.xgt.connection import read_connection


def test_defaults_are_safe_everywhere() -> None:
    connection = read_connection({"host": "10.0.0.7"}, 3)
    assert (connection.port, connection.family.name, connection.timeout_s) == (2004, "auto", 3)
    assert (connection.sure_bytes, connection.most_bytes) == (512, 1400)
    assert connection.link == ("xgt", "10.0.0.7", 2004)
    assert connection.where == "10.0.0.7:2004"


@pytest.mark.parametrize(
    ("given", "name", "cpu", "sure", "most"),
    [
        ("xgk", "xgk", 0xA0, 1400, 1400), ("XGI", "xgi", 0xA4, 1400, 1400), ("xgr", "xgr", 0xA8, 1400, 1400),
        ("XGB", "xgb", 0xB0, 512, 512), ("XGB-IEC", "xgb_iec", 0xB4, 512, 512), (" ", "auto", 0xA0, 512, 1400),
    ],
)  # fmt: skip
@pytest.mark.parametrize("field", ["family", "cpu"])
def test_families(field: str, given: str, name: str, cpu: int, sure: int, most: int) -> None:
    connection = read_connection({"host": "plc", field: given}, 3)
    assert (connection.family.name, connection.family.cpu) == (name, cpu)
    assert (connection.sure_bytes, connection.most_bytes) == (sure, most)


def test_a_setting_says_more_or_less_for_any_family() -> None:
    assert read_connection({"host": "plc", "max_bytes": "1400"}, 3).sure_bytes == 1400
    assert read_connection({"host": "plc", "family": "xgk", "max_bytes": 240}, 3).most_bytes == 240


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({}, "host"),
        ({"host": "plc", "port": 0}, "port"),
        ({"host": "plc", "family": "xg5000"}, "family"),
        ({"host": "plc", "cpu": 5}, "cpu"),
        ({"host": "plc", "max_bytes": 1401}, "max_bytes"),
    ],
)
def test_what_can_not_be_used_is_refused_by_field(fields: dict[str, object], field: str) -> None:
    with pytest.raises(Refused) as caught:
        read_connection(fields, 3)
    assert caught.value.field == field


def test_an_ipv6_address_is_bracketed() -> None:
    assert read_connection({"host": "fe80::7"}, 3).where == "[fe80::7]:2004"
