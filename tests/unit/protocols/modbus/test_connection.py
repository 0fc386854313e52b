import pytest

from protocols.errors import Refused
from protocols.modbus.connection import AUTO_GAP, ModbusTcpConnection, read_connection


def test_defaults_and_names() -> None:
    connection = read_connection({"host": "192.168.1.10", "port": 2004, "unit_id": 1, "color": "red"}, 3.0)
    assert connection == ModbusTcpConnection("192.168.1.10", 2004, 1, 125, 2000, AUTO_GAP, 3.0)
    assert connection.link == ("modbus_tcp", "192.168.1.10", 2004)
    assert connection.where == "192.168.1.10:2004 unit 1"
    assert read_connection({"ip": "10.0.0.1"}, 3.0).port == 502
    assert read_connection({"ip": "fd00::1"}, 3.0).where == "[fd00::1]:502 unit 1"


@pytest.mark.parametrize("alias", ["unit_id", "slave_id", "station"])
def test_every_field_leniently(alias: str) -> None:
    fields = {"host": "plc", alias: "17", "max_registers": 64.0, "max_bits": "512", "max_gap": "0"}
    assert read_connection(fields, 1) == ModbusTcpConnection("plc", 502, 17, 64, 512, 0, 1)


@pytest.mark.parametrize("given", ["auto", " AUTO ", None, ""])
def test_the_gap_may_be_left_to_us(given: object) -> None:
    assert read_connection({"host": "plc", "max_gap": given}, 1).max_gap == AUTO_GAP


@pytest.mark.parametrize(
    ("field", "given"),
    [("host", ""), ("port", 0), ("slave_id", 256), ("max_registers", 126), ("max_bits", 0), ("max_gap", "some")],
)
def test_mistakes_are_refused_by_field(field: str, given: object) -> None:
    with pytest.raises(Refused) as caught:
        read_connection({"host": "plc", field: given}, 1)
    assert caught.value.field == field
