"""XGT addresses as engineers write them, and the names under which the protocol asks for them."""

import re
from dataclasses import dataclass

from protocols.errors import Refused
from protocols.xgt.families import Family

DEVICES = "PMLKFTCDNRWZUIQ"
"""The device letters, in the order in which they are asked for."""

_WIDTHS = {"B": 1, "W": 2, "D": 4, "L": 8}
_CONTACTS = "TC"
_SLOTS = 16  # of each base
_SLOT_BYTES = {"I": 8, "Q": 8, "U": 64}
_MOST_BYTES = 1 << 20  # eight times the largest device there is; the PLC knows its own limits

_FLAGS = re.IGNORECASE | re.ASCII
_BIT = r"\.(?P<bit>1[0-5]|[0-9A-F])"  # 10 to 15 can not be meant in hexadecimal
_DIRECT = re.compile(rf"%(?P<device>[A-Z])(?P<size>[XBWDL])(?P<number>\d{{1,7}})(?:(?P<hex>[A-F])|{_BIT})?", _FLAGS)
_IN_SLOT = re.compile(
    r"%(?P<device>[IQU])(?P<size>[XBWDL])(?P<base>\d{1,3})\.(?P<slot>\d{1,2})\.(?P<number>\d{1,3})", _FLAGS
)
_BIT_DEVICE = re.compile(rf"(?P<device>[PMLKF])(?P<number>\d{{1,7}})(?:(?P<hex>[A-F])|{_BIT})?", _FLAGS)
_WORD_DEVICE = re.compile(rf"(?P<device>[TCDNRZW])(?P<number>\d{{1,7}})(?:{_BIT})?", _FLAGS)
_SPECIAL = re.compile(rf"(?P<device>U)(?P<base>[0-7])?(?P<slot>[0-9A-F])\.(?P<number>\d{{1,2}})(?:{_BIT})?", _FLAGS)
_EXPECTED = "D100 or D100.A, M100 or M0172C, or %DW100, %DB200, %MX2764, %MD10 and the like"


@dataclass(frozen=True, slots=True)
class XgtAddress:
    """A place in a device: the element of `width` bytes from `byte` on, and maybe a `bit` of it, 0 the least.

    `width` 0 is the contact of a timer or counter, which lies in no byte; `byte` is then its number.
    """

    device: str
    byte: int
    width: int
    bit: int | None = None

    @property
    def is_contact(self) -> bool:
        """Whether it is the contact of a timer or counter, which is another thing than its value."""
        return self.width == 0


def parse_address(text: str, family: Family, *, as_bit: bool = False) -> XgtAddress:
    """The place that an address names. Raises `Refused` on ``address``.

    `as_bit` says that a bit is wanted and nothing but the address tells which. It decides, as in XG5000, where digits
    alone leave it open: M00100 is word 100, or bit 0 of word 10; T5 is the value of a timer, or its contact.
    """
    text = text.strip()
    if found := _DIRECT.fullmatch(text):
        address = _direct(text, found, family)
    elif found := _IN_SLOT.fullmatch(text):
        address = _in_slot(text, found)
    elif found := _BIT_DEVICE.fullmatch(text):
        address = _bit_device(found, as_bit)
    elif found := _WORD_DEVICE.fullmatch(text):
        address = _word_device(found, as_bit)
    elif found := _SPECIAL.fullmatch(text):
        word = (int(found["base"] or 0) * _SLOTS + int(found["slot"], 16)) * 32 + int(found["number"])
        address = XgtAddress("U", 2 * word, 2, _maybe_bit(found["bit"]))
        _check(int(found["number"]) < 32, text, "names a word past the 32 of a slot")
    else:
        raise Refused("address", f"{text!r} is no XGT address; expected {_EXPECTED}")
    _check(address.device in DEVICES, text, f"is in device {address.device}; expected one of {', '.join(DEVICES)}")
    _check(address.byte < _MOST_BYTES, text, "is past the end of every device that there is")
    return address


def block_name(device: str, byte: int) -> str:
    """``%DB200``: the name of a byte, from which blocks are read."""
    return f"%{device}B{byte}"


def word_name(device: str, word: int) -> str:
    """``%DW100``: the name of a word."""
    return f"%{device}W{word}"


def contact_name(device: str, number: int) -> str:
    """``%TX5``: the name of a timer's or counter's contact."""
    return f"%{device}X{number}"


def range_name(device: str, word: int, count: int) -> str:
    """Words for messages: ``%DW100-%DW224``."""
    return word_name(device, word) + (f"-{word_name(device, word + count - 1)}" if count > 1 else "")


def _direct(text: str, found: re.Match[str], family: Family) -> XgtAddress:
    device, size, number, bit = found["device"].upper(), found["size"].upper(), int(found["number"]), found["bit"]
    if size == "X":
        return _bit_of_device(text, device, found, family)
    _check(found["hex"] is None, text, f"is not a number after %{device}{size}")
    _check(bit is None or device not in _SLOT_BYTES, text, "leaves slot and bit open; expected %IW0.2.1 and the like")
    width = _WIDTHS[size]
    if bit is None:
        return XgtAddress(device, width * number, width)
    _check(width <= 2, text, "names a bit of more than a word; expected %DW100.5 and the like")
    place = _bit_number(bit)
    _check(place < 8 * width, text, f"names bit {place}; a byte has the bits 0 to 7")
    return XgtAddress(device, width * number, width, place)


def _bit_of_device(text: str, device: str, found: re.Match[str], family: Family) -> XgtAddress:
    """Bits are counted through from the device's first, but by some XGB as word and hexadecimal digit."""
    _check(found["bit"] is None, text, "has a dot in the number of a bit; expected %MX2764 and the like")
    number = int(found["number"])
    if device in _CONTACTS:
        _check(found["hex"] is None, text, "is not the number of a contact")
        return XgtAddress(device, number, 0)
    if found["hex"]:
        return XgtAddress(device, 2 * number, 2, int(found["hex"], 16))
    if family.counts_bits_in_two_ways and device in "PMLKF":
        through, digit = f"{device}{number // 16:04d}{number % 16:X}", f"{device}{number // 10:04d}{number % 10}"
        raise Refused(
            "address", f"{text!r} is {through} on some XGB and {digit} on others; expected the one that is meant"
        )
    return XgtAddress(device, number // 16 * 2, 2, number % 16)


def _in_slot(text: str, found: re.Match[str]) -> XgtAddress:
    device, size, number = found["device"].upper(), found["size"].upper(), int(found["number"])
    slot_bytes = _SLOT_BYTES[device]
    bits = 8 * _WIDTHS.get(size, 0) or 1
    _check(int(found["slot"]) < _SLOTS, text, "names a slot past 15")
    _check(number * bits < 8 * slot_bytes, text, f"is past the {8 * slot_bytes} bits of a slot")
    first = (int(found["base"]) * _SLOTS + int(found["slot"])) * slot_bytes
    if size == "X":
        return XgtAddress(device, first + number // 16 * 2, 2, number % 16)
    return XgtAddress(device, first + number * bits // 8, bits // 8)


def _bit_device(found: re.Match[str], as_bit: bool) -> XgtAddress:
    device, digits = found["device"].upper(), found["number"]
    if found["hex"] or found["bit"]:
        return XgtAddress(device, 2 * int(digits), 2, _bit_number(found["hex"] or found["bit"]))
    if as_bit:
        return XgtAddress(device, 2 * int(digits[:-1] or "0"), 2, int(digits[-1]))
    return XgtAddress(device, 2 * int(digits), 2)


def _word_device(found: re.Match[str], as_bit: bool) -> XgtAddress:
    device, number = found["device"].upper(), int(found["number"])
    if as_bit and device in _CONTACTS and found["bit"] is None:
        return XgtAddress(device, number, 0)
    return XgtAddress(device, 2 * number, 2, _maybe_bit(found["bit"]))


def _bit_number(text: str) -> int:
    return int(text) if text.isdigit() else int(text, 16)


def _maybe_bit(text: str | None) -> int | None:
    return None if text is None else _bit_number(text)


def _check(right: bool, text: str, wrong: str) -> None:
    if not right:
        raise Refused("address", f"{text!r} {wrong}")
