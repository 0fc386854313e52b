import pytest

from protocols.quality import Quality
from protocols.xgt.refusals import refusal


@pytest.mark.parametrize("code", [0x01, 0x02, 0x04, 0x05, 0x06, 0x10, 0x11, 0x12, 0x24])
def test_what_may_be_one_address_is_looked_for(code: int) -> None:
    error = refusal(code, "10.0.0.7:2004 %DW100", one_device=True)
    assert (error.quality, error.isolate, error.whole) == (Quality.BAD_ADDRESS, True, False)
    assert f"error 0x{code:04x}" in str(error)


@pytest.mark.parametrize("code", [0x75, 0x76, 0x77, 0x78])
def test_what_is_no_addresss_fault_is_not(code: int) -> None:
    error = refusal(code, "plc", one_device=True)
    assert (error.quality, error.isolate, error.whole) == (Quality.DEVICE_ERROR, False, False)


def test_a_device_that_the_plc_lacks_costs_all_of_its_tags_and_no_other() -> None:
    alone, mixed = refusal(3, "plc", one_device=True), refusal(3, "plc", one_device=False)
    assert (alone.whole, alone.isolate) == (True, False)
    assert (mixed.whole, mixed.isolate) == (False, True)


def test_an_unknown_code_is_surfaced() -> None:
    error = refusal(0x21, "plc %DW1", one_device=True)
    assert str(error) == "plc %DW1: refused with code 0x0021, which is not documented"
    assert (error.quality, error.isolate) == (Quality.DEVICE_ERROR, True)
