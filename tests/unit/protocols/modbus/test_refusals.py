import pytest

from protocols.modbus.refusals import refusal
from protocols.quality import Quality

ASKED = "10.0.0.7:502 unit 1 holding registers 40001-40002"


@pytest.mark.parametrize(
    ("code", "quality", "isolate", "whole", "text"),
    [
        (1, Quality.BAD_ADDRESS, False, True, "the device does not know function 3"),
        (2, Quality.BAD_ADDRESS, True, False, "illegal data address (exception 2)"),
        (3, Quality.BAD_ADDRESS, True, False, "illegal data value (exception 3)"),
        (4, Quality.DEVICE_ERROR, True, False, "server device failure (exception 4)"),
        (6, Quality.DEVICE_ERROR, False, False, "busy (exception 6)"),
        (8, Quality.DEVICE_ERROR, False, False, "parity error (exception 8)"),
        (10, Quality.TIMEOUT, False, False, "no path to the unit (exception 10)"),
        (11, Quality.TIMEOUT, False, False, "did not answer (exception 11)"),
        (99, Quality.DEVICE_ERROR, False, False, "code 99, which Modbus does not define"),
    ],
)
def test_each_exception_says_what_to_make_of_it(
    code: int, quality: Quality, isolate: bool, whole: bool, text: str
) -> None:
    error = refusal(code, ASKED, 3)
    assert (error.quality, error.isolate, error.whole) == (quality, isolate, whole)
    assert str(error).startswith(ASKED)
    assert text in str(error)
