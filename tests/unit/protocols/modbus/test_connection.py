import pytest

from protocols.errors import Refused
from protocols.modbus.connection import (
    AUTO_GAP,
    AUTO_GAP_SERIAL,
    ModbusRtuConnection,
    ModbusTcpConnection,
    SerialLine,
    read_connection,
    read_rtu_connection,
    read_rtu_tcp_connection,
)


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


def test_a_serial_line_by_its_defaults_and_by_its_names() -> None:
    connection = read_rtu_connection({"serial_port": "/dev/ttyUSB0"}, 3.0)
    assert connection == ModbusRtuConnection(
        SerialLine("/dev/ttyUSB0", 9600, "N", 1), 1, 125, 2000, AUTO_GAP_SERIAL, 3.0
    )
    assert (connection.host, connection.where) == (None, "/dev/ttyUSB0 unit 1")
    named = {"device": " /dev/ttyS1 ", "baud_rate": "19200", "parity": "Even", "stopbits": "1", "bytesize": 8}
    line = read_rtu_connection({**named, "station": 7}, 1).line
    assert line == SerialLine("/dev/ttyS1", 19_200, "E", 1)


def test_units_share_a_line_that_is_set_alike() -> None:
    def link(**fields: object) -> tuple[str | int, ...]:
        return read_rtu_connection({"serial_port": "/dev/ttyUSB0", **fields}, 3).link

    assert link() == link(unit_id=2, parity="n", baudrate=9600)
    assert len({link(), link(baudrate=19_200), link(parity="O"), link(stopbits=2)}) == 4


def test_a_device_server_is_another_link_than_modbus_tcp() -> None:
    fields = {"host": "10.0.0.7", "unit_id": 9}
    connection = read_rtu_tcp_connection(fields, 3)
    assert connection.link == ("modbus_rtu_tcp", "10.0.0.7", 502)
    assert connection.where == "10.0.0.7:502 unit 9"
    assert connection != read_connection({**fields, "max_gap": AUTO_GAP_SERIAL}, 3)


@pytest.mark.parametrize(
    ("line", "silence_ms"),
    [
        (SerialLine("p", 9600, "N", 1), 3.5 * 10 / 9.6),
        (SerialLine("p", 19_200, "E", 1), 3.5 * 11 / 19.2),
        (SerialLine("p", 1200, "O", 2), 3.5 * 12 / 1.2),
        (SerialLine("p", 38_400, "N", 1), 1.75),
    ],
)
def test_silence_is_three_and_a_half_characters_but_not_below_its_least(line: SerialLine, silence_ms: float) -> None:
    assert line.silence_s * 1000 == pytest.approx(silence_ms)


@pytest.mark.parametrize(
    ("field", "given"),
    [
        ("serial_port", None), ("serial_port", "ttyUSB0"), ("serial_port", "/dev/../etc/x"), ("serial_port", 3),
        ("device", "COM3 "), ("baud_rate", 0), ("parity", "mark"), ("parity", 1), ("stopbits", 3), ("bytesize", 7),
        ("unit_id", 0), ("slave_id", 248),
    ],
)  # fmt: skip
def test_mistakes_about_a_line_are_refused_by_field(field: str, given: object) -> None:
    fields = {field: given} if field == "device" else {"serial_port": "/dev/ttyUSB0", field: given}
    with pytest.raises(Refused) as caught:
        read_rtu_connection(fields, 1)
    assert caught.value.field == ("serial_port" if field == "device" else field)
