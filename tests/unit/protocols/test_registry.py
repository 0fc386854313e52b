import subprocess
import sys

import pytest

from protocols import grammars
from protocols.errors import Refused
from protocols.registry import canonical, driver, resolve_plc_ethernet


@pytest.mark.parametrize(
    ("name", "protocol"),
    [
        ("modbus", "modbus_tcp"), ("modbus-tcp", "modbus_tcp"), ("Modbus TCP", "modbus_tcp"),
        ("MODBUS_RTU", "modbus_rtu"), ("modbus rtu tcp", "modbus_rtu_tcp"), ("opc_ua", "opcua"), ("OPC UA", "opcua"),
        ("siemens_s7", "s7"), ("S7", "s7"), ("xgt_fenet", "xgt"), ("ls_xgt", "xgt"), ("XGT", "xgt"), ("host", "host"),
        ("PLC Ethernet", "plc_ethernet"),
    ],
)  # fmt: skip
def test_every_name_of_a_protocol(name: str, protocol: str) -> None:
    assert canonical(name) == protocol


def test_an_unknown_protocol_is_refused_with_the_known_ones() -> None:
    with pytest.raises(Refused, match=r"'profinet' is not a known protocol; expected one of .*xgt") as caught:
        canonical("profinet")
    assert caught.value.field == "protocol"


def test_the_driver_is_one_and_loaded_only_when_asked_for() -> None:
    assert driver("modbus_tcp") is driver("modbus_tcp")
    assert driver("Siemens S7").protocol == "s7"
    assert driver("Modbus").protocol == "modbus_tcp"
    program = (
        "import sys, protocols.registry; "
        "sys.exit(any(name in sys.modules for name in ('protocols.modbus', 'protocols.s7', 'snap7', 'asyncio')))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


@pytest.mark.parametrize(
    ("connection_protocol", "setting", "addresses", "port", "protocol"),
    [
        ("xgt", "modbus_tcp", ["40001"], 502, "xgt"),
        (None, "XGT", ["40001"], 502, "xgt"),
        (None, "auto", ["40001", "HR7", "00001"], 502, "modbus_tcp"),
        ("plc_ethernet", "", ["40001"], 9999, "modbus_tcp"),
        (None, "auto", ["%DW100", "D100", "M0172C", "D100.A"], 2004, "xgt"),
        (None, "auto", ["DB1.DBW0", "MW2", "DB1.STRING10.20"], None, "s7"),
        (None, "auto", ["ns=2;s=Line.Speed"], 4840, "opcua"),
        (None, "auto", ["C0", "C1"], 102, "s7"),
        (None, "auto", ["C0", "C1"], 502, "modbus_tcp"),
        (None, "auto", ["T0", "C0"], 2004, "xgt"),
        (None, "auto", [], 2004, "xgt"),
        (None, "auto", ["40001", "D100"], 2004, "xgt"),
        (None, "auto", ["4OO01", "40002"], 502, "modbus_tcp"),
    ],
)
def test_what_plc_ethernet_means(
    connection_protocol: str | None, setting: str, addresses: list[str], port: int | None, protocol: str
) -> None:
    assert resolve_plc_ethernet(connection_protocol, setting, addresses, port) == (protocol, None)


def test_modbus_addresses_on_the_port_of_xgt_are_modbus_and_it_is_said() -> None:
    protocol, disagreement = resolve_plc_ethernet(None, "auto", ["40001"], 2004)
    assert protocol == "modbus_tcp"
    assert disagreement is not None
    assert disagreement.by_port == "xgt"
    assert "port 2004 is that of xgt" in disagreement.message
    assert "connection.protocol" in disagreement.message


@pytest.mark.parametrize(
    ("addresses", "port", "because"),
    [
        ([], None, "its addresses fit no one protocol, and no port is given"),
        (["40001", "D100"], 9999, "its addresses fit no one protocol, and port 9999 is that of none"),
        (["C0"], 9999, "its addresses fit modbus_tcp and s7 and xgt alike, and port 9999 is that of none"),
        (["C0"], 4840, "its addresses fit modbus_tcp and s7 and xgt alike, and port 4840 is that of opcua"),
    ],
)
def test_what_can_not_be_decided_is_refused(addresses: list[str], port: int | None, because: str) -> None:
    with pytest.raises(Refused) as caught:
        resolve_plc_ethernet(None, "auto", addresses, port)
    assert caught.value.field == "protocol"
    assert str(caught.value).endswith(f"{because}. Set connection.protocol")


@pytest.mark.parametrize(
    ("address", "protocols"),
    [
        ("400001.15", {"modbus_tcp"}), ("di7", {"modbus_tcp"}), ("100", set()), ("20001", set()),
        ("%MX2764", {"xgt"}), ("%ml5", {"xgt"}), ("M100", {"xgt"}), ("K0010F", {"xgt"}), ("U0A.12.F", {"xgt"}),
        ("M0.0", {"s7"}), ("EW4", {"s7"}), ("A1.7", {"s7"}), ("DB1.DBX0.8", set()), ("DB1.DBX0.7", {"s7"}),
        ("i=2258", {"opcua"}), ("nsu=urn:a:b;s=x", {"opcua"}), ("ns=3;i=x", set()),
    ],
)  # fmt: skip
def test_grammars(address: str, protocols: set[str]) -> None:
    assert grammars.speakers(address) == protocols
