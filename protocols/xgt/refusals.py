"""What a PLC says when it refuses: the error codes of FEnet modules, from manuals and from the field."""

from dataclasses import dataclass

from protocols.errors import RequestRefused
from protocols.quality import Quality


@dataclass(frozen=True, slots=True)
class _Refusal:
    text: str
    quality: Quality = Quality.BAD_ADDRESS
    isolate: bool = True


_NOT_SERVICED = 0x0003
_NOBODYS_FAULT = (Quality.DEVICE_ERROR, False)
_REFUSALS = {
    0x0001: _Refusal("more than 16 variables in one request"),
    0x0002: _Refusal("data type not known"),
    _NOT_SERVICED: _Refusal("the PLC does not have this device"),
    0x0004: _Refusal("past the end of the device"),
    0x0005: _Refusal("more bytes in one block than the PLC grants"),
    0x0006: _Refusal("more bytes in one request than the PLC grants"),
    0x0010: _Refusal("device error: no such device"),
    0x0011: _Refusal("address error"),
    0x0012: _Refusal("the data type does not suit the address"),
    0x0024: _Refusal("data type error"),
    0x0075: _Refusal("company id not accepted", *_NOBODYS_FAULT),
    0x0076: _Refusal("length in the header not accepted", *_NOBODYS_FAULT),
    0x0077: _Refusal("checksum of the header not accepted", *_NOBODYS_FAULT),
    0x0078: _Refusal("command not known", *_NOBODYS_FAULT),
}


def refusal(code: int, asked: str, *, one_device: bool) -> RequestRefused:
    """The error for NAK `code`; `asked` is who was asked for what: ``10.0.0.7:2004 %DW100``.

    `one_device`: all that was asked for is in one device, and is refused with it.
    """
    known = _REFUSALS.get(code)
    if known is None:
        # Which codes there are is documented badly, so one of the addresses may well be what it means.
        text = f"{asked}: refused with code {code:#06x}, which is not documented"
        return RequestRefused(Quality.DEVICE_ERROR, text, isolate=True)
    whole = code == _NOT_SERVICED and one_device
    text = f"{asked}: {known.text} (error {code:#06x})"
    return RequestRefused(known.quality, text, isolate=known.isolate and not whole, whole=whole)
