"""What an S7 CPU says when it refuses, and what the engineer can do about it."""

from dataclasses import dataclass

from protocols.errors import RequestRefused
from protocols.quality import Quality
from protocols.s7.addresses import Area
from protocols.s7.frames import Item

PUT_GET = (
    "the CPU does not permit PUT/GET access; S7-1200/1500: permit it in the CPU's properties, Protection & Security, "
    "Connection mechanisms, and load the hardware configuration"
)
WRONG_PLACE = "S7-1200/1500 are in rack 0 slot 1 (or 0), S7-300 in rack 0 slot 2, S7-400 where the hardware says"


@dataclass(frozen=True, slots=True)
class _Refusal:
    """`isolate`: a part of the range may be to blame."""

    text: str
    quality: Quality
    isolate: bool = True


_ITEMS = {
    0x01: _Refusal("hardware fault", Quality.DEVICE_ERROR, isolate=False),
    0x03: _Refusal(f"access denied: the object is protected, or {PUT_GET}", Quality.DEVICE_ERROR),
    0x05: _Refusal("address out of range: the CPU has less of it than that", Quality.BAD_ADDRESS),
    0x06: _Refusal("data type not supported", Quality.BAD_ADDRESS),
    0x07: _Refusal("data type inconsistent", Quality.BAD_ADDRESS),
    0x0A: _Refusal("object does not exist", Quality.BAD_ADDRESS),
}
_NO_DB = (
    "the block does not exist in the CPU, or has optimised access; S7-1200/1500: switch off 'Optimized block "
    "access' in the block's properties, compile and load it"
)
_MISSING = 0x0A
_MESSAGES = {
    0x8104: f"not allowed: {PUT_GET}",
    0x8500: "message too large; set connection.pdu to 240",
    0x8304: "the CPU has no resources left for this",
    0xD241: "not permitted at the CPU's protection level",
}


def item_refusal(where: str, item: Item, code: int, tags: tuple[int, ...] | None = None) -> RequestRefused:
    """The error for `tags`, which share `item` or have one each that was refused alike."""
    known = _ITEMS.get(code, _Refusal("refused", Quality.DEVICE_ERROR))
    text = _NO_DB if code == _MISSING and item.area is Area.DB else known.text
    message = f"{where} {item.name}: {text} (code 0x{code:02X})"
    return RequestRefused(known.quality, message, isolate=known.isolate, tags=tags)


def message_refusal(asked: str, code: int) -> RequestRefused:
    """The error for a whole message. It blames no address: the next cycle asks again."""
    text = _MESSAGES.get(code, "refused by the CPU")
    return RequestRefused(Quality.DEVICE_ERROR, f"{asked}: {text} (code 0x{code:04X})")
