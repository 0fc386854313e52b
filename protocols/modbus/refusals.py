"""What a device says when it refuses: Modbus Application Protocol Specification V1.1b3, section 7."""

from dataclasses import dataclass

from protocols.errors import RequestRefused
from protocols.quality import Quality


@dataclass(frozen=True, slots=True)
class _Refusal:
    """`isolate`: a part of the request may be to blame. `whole`: every tag of the request would be refused."""

    text: str
    quality: Quality
    isolate: bool = False
    whole: bool = False


_UNKNOWN_FUNCTION = 1
_REFUSALS = {
    _UNKNOWN_FUNCTION: _Refusal("illegal function", Quality.BAD_ADDRESS, whole=True),
    2: _Refusal("illegal data address", Quality.BAD_ADDRESS, isolate=True),
    3: _Refusal("illegal data value", Quality.BAD_ADDRESS, isolate=True),
    4: _Refusal("server device failure", Quality.DEVICE_ERROR, isolate=True),
    5: _Refusal("acknowledged, but not done yet", Quality.DEVICE_ERROR),
    6: _Refusal("server device busy", Quality.DEVICE_ERROR),
    7: _Refusal("negative acknowledge", Quality.DEVICE_ERROR),
    8: _Refusal("memory parity error", Quality.DEVICE_ERROR),
    10: _Refusal("the gateway has no path to the unit", Quality.TIMEOUT),
    11: _Refusal("the unit behind the gateway did not answer", Quality.TIMEOUT),
}


def leaves_open(code: int) -> bool:
    """Whether a write that is answered so may have been, or yet be, carried out."""
    return code in (5, 11)


def refusal(code: int, asked: str, function: int) -> RequestRefused:
    """The error for exception `code`; `asked` is who was asked for what: ``10.0.0.7:502 unit 1 … registers 40001``."""
    known = _REFUSALS.get(code)
    if known is None:
        return RequestRefused(Quality.DEVICE_ERROR, f"{asked}: refused with code {code}, which Modbus does not define")
    text = f"{asked}: {known.text} (exception {code})"
    if code == _UNKNOWN_FUNCTION:
        text += f"; the device does not know function {function}"
    return RequestRefused(known.quality, text, isolate=known.isolate, whole=known.whole)
