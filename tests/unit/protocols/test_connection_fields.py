import pytest

from protocols.connection_fields import ConnectionFields, quoted
from protocols.errors import Refused

PORT = ("port",)


@pytest.mark.parametrize("given", [1000, 1000.0, "1000", " 1000 ", "1000.0"])
def test_a_number_in_any_dress(given: object) -> None:
    assert ConnectionFields({"port": given}).whole(PORT, default=502, least=1, most=65_535) == 1000


@pytest.mark.parametrize("given", [None, "", "  "])
def test_null_and_blank_are_absent(given: object) -> None:
    fields = ConnectionFields({"port": given, "unit_id": given, "station": 7})
    assert fields.whole(PORT, default=502, least=1, most=65_535) == 502
    assert fields.whole(("unit_id", "slave_id", "station"), default=1, least=0, most=255) == 7


@pytest.mark.parametrize("given", ["abc", 0, 65_536, 1.5, True, [], "1e400", "nan", float("inf")])
def test_what_is_no_number_or_out_of_range_is_refused_by_its_name(given: object) -> None:
    with pytest.raises(Refused, match=r"connection\.port is .*expected a whole number from 1 to 65535") as caught:
        ConnectionFields({"port": given}).whole(PORT, default=502, least=1, most=65_535)
    assert caught.value.field == "port"


@pytest.mark.parametrize(
    ("fields", "host"),
    [
        ({"host": " 192.168.1.10 "}, "192.168.1.10"),
        ({"ip": "10.0.0.1"}, "10.0.0.1"),
        ({"host": None, "address": "PLC-7.Plant.local"}, "plc-7.plant.local"),
        ({"host": "[FD00::1]"}, "fd00::1"),
        ({"host": "192.168.001.010"}, "192.168.1.10"),
        ({"host": "7-up.plant"}, "7-up.plant"),
    ],
)
def test_hosts(fields: dict[str, object], host: str) -> None:
    assert ConnectionFields(fields).host() == host


@pytest.mark.parametrize(
    "given",
    ["192.168.1", "192.168.1.256", "192.168.1.1.1", "10", "3232235786", "0x7f.1", "1.2.3." + "4" * 240],
)
def test_numbers_that_systems_take_for_another_address_are_refused(given: str) -> None:
    with pytest.raises(Refused, match=r"expected four numbers up to 255, or a name"):
        ConnectionFields({"host": given}).host()


@pytest.mark.parametrize("given", [None, "", 7, "tcp://plc", "a b", "10.0.0.1:502"])
def test_what_is_no_host_is_refused(given: object) -> None:
    with pytest.raises(Refused) as caught:
        ConnectionFields({"host": given}).host()
    assert caught.value.field == "host"


@pytest.mark.parametrize(
    "host",
    ["opc.tcp://u:canary-1@plc", "u:canary-1@plc", "opc.tcp://u:can/canary-1@plc:4840/x", "http://u:canary-1@[::1]"],
)
def test_s5_a_log_in_before_a_host_is_refused_and_not_repeated(host: str) -> None:
    with pytest.raises(Refused) as refused:
        ConnectionFields({"host": host}).host()
    assert "canary" not in str(refused.value)
    assert "plc" in str(refused.value) or "::1" in str(refused.value)


def test_a_log_in_before_a_host_is_not_quoted_and_a_novel_is_cut_at_once() -> None:
    assert quoted("opc.tcp://me:canary@plc:4840") == "'***@plc:4840'"
    for novel in ("x", "a:", "/:", "://a:"):
        assert len(quoted(novel * 2_000_000)) < 200  # would take hours if all of it were searched


@pytest.mark.parametrize("novel", ["1", "1.", "11.", "a", "0x1."])
def test_a_host_of_millions_of_characters_is_refused_by_its_length(novel: str) -> None:
    with pytest.raises(Refused, match="expected at most 253"):
        ConnectionFields({"host": novel * 1_000_000 + "1"}).host()
