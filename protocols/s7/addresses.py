"""S7 addresses as people write them, and back."""

import re
from dataclasses import dataclass
from enum import IntEnum

from protocols.errors import Refused

AREA_BYTES = 65_536
"""An area is addressed by 16 bits of bytes, timers and counters by as many of their numbers."""


class Area(IntEnum):
    """The memory areas, by their codes on the wire."""

    INPUTS = 0x81
    OUTPUTS = 0x82
    FLAGS = 0x83
    DB = 0x84
    COUNTERS = 0x1C
    TIMERS = 0x1D


NUMBERED = (Area.TIMERS, Area.COUNTERS)
"""Areas that count elements of two bytes, not bytes."""

_LETTERS = {
    "I": Area.INPUTS,
    "E": Area.INPUTS,
    "Q": Area.OUTPUTS,
    "A": Area.OUTPUTS,
    "M": Area.FLAGS,
    "T": Area.TIMERS,
    "C": Area.COUNTERS,
    "Z": Area.COUNTERS,
}
_NAMES = {Area.INPUTS: "I", Area.OUTPUTS: "Q", Area.FLAGS: "M", Area.TIMERS: "T", Area.COUNTERS: "C"}
_WIDTHS = {"X": None, None: None, "B": 1, "W": 2, "D": 4}
_FLAGS = re.ASCII | re.IGNORECASE
_IN_DB = re.compile(
    r"DB(?P<db>\d{1,5})\.(?:DB(?P<kind>[XBWD])(?P<byte>\d{1,5})(?:\.(?P<bit>\d))?"
    r"|(?P<text>W?STRING)(?P<from>\d{1,5})(?:\.(?P<length>\d{1,5}))?)",
    _FLAGS,
)
_IN_AREA = re.compile(r"(?P<area>[MIEQA])(?P<kind>[XBWD])?(?P<byte>\d{1,5})(?:\.(?P<bit>\d))?", _FLAGS)
_COUNTED = re.compile(r"(?P<area>[TCZ])(?P<number>\d{1,5})", _FLAGS)
_PERIPHERAL = re.compile(r"P[IEQA][BWD]?\d+|[IEQA][BWD]?\d+:P", _FLAGS)
_SPACES = re.compile(r"(?<=[A-Z])\s+(?=\d)", _FLAGS)
_EXPECTED = "DB1.DBX0.0, DB1.DBB1, DB1.DBW2, DB1.DBD4, DB1.STRING10.20, M0.0, MW2 (I, E, Q, A alike), T0 or C0"


@dataclass(frozen=True, slots=True)
class S7Address:
    """A first byte in an area (in block `db` of the DBs), or the number of a timer or counter.

    `bit` is 0 (least) to 7. `width` is what the letter says, 1, 2 or 4 bytes; `text` the data type in the address of
    a text, `length` its greatest number of characters.
    """

    area: Area
    start: int
    db: int = 0
    bit: int | None = None
    width: int | None = None
    text: str | None = None
    length: int | None = None


def parse_address(text: str) -> S7Address:
    """The place that an address names, in any case, with or without TIA's ``%`` and STEP 7's spaces (``DB1.DBW 2``).

    Raises `Refused` on ``address``.
    """
    bare = _SPACES.sub("", text.strip().removeprefix("%"))
    if found := _IN_DB.fullmatch(bare):
        address = _in_db(found, text)
    elif found := _IN_AREA.fullmatch(bare):
        address = _placed(found, text, _LETTERS[found["area"].upper()], 0)
    elif found := _COUNTED.fullmatch(bare):
        address = S7Address(_LETTERS[found["area"].upper()], int(found["number"]))
    elif _PERIPHERAL.fullmatch(bare):
        raise Refused(
            "address", f"{text!r} is peripheral memory, which S7 communication does not read; expected IW, QW …"
        )
    else:
        raise Refused("address", f"{text!r} is no S7 address; expected {_EXPECTED}")
    if address.start >= AREA_BYTES:
        raise Refused("address", f"{text!r} is outside its area; expected 0 to {AREA_BYTES - 1}")
    return address


def range_name(area: Area, db: int, start: int, size: int) -> str:
    """A range for messages, as engineers say it: ``DB1.DBB0-461``, ``MB4``, ``T0-7``."""
    letters = f"DB{db}.DBB" if area is Area.DB else _NAMES[area] + ("" if area in NUMBERED else "B")
    return f"{letters}{start}" + (f"-{start + size - 1}" if size > 1 else "")


def _in_db(found: re.Match[str], text: str) -> S7Address:
    db = int(found["db"])
    if not 1 <= db <= 65_535:
        raise Refused("address", f"{text!r} names block DB{db}; there are DB1 to DB65535")
    if found["text"] is None:
        return _placed(found, text, Area.DB, db)
    length = None if found["length"] is None else int(found["length"])
    return S7Address(Area.DB, int(found["from"]), db, text=found["text"].upper(), length=length)


def _placed(found: re.Match[str], text: str, area: Area, db: int) -> S7Address:
    kind = found["kind"] and found["kind"].upper()
    width, bit = _WIDTHS[kind], None if found["bit"] is None else int(found["bit"])
    if width is None and bit is None:
        raise Refused(
            "address", f"{text!r} names no bit; expected {text}.0 to {text}.7, or B, W or D before the number"
        )
    if width is not None and bit is not None:
        raise Refused(
            "address", f"{text!r} names a bit of more than a bit; expected it as {_bit_form(found, area, db)}"
        )
    if bit is not None and bit > 7:
        raise Refused("address", f"{text!r} names bit {bit}; a byte has the bits 0 to 7")
    return S7Address(area, int(found["byte"]), db, bit, width)


def _bit_form(found: re.Match[str], area: Area, db: int) -> str:
    letters = f"DB{db}.DBX" if area is Area.DB else _NAMES[area]
    return f"{letters}{found['byte']}.0 to .7, counted within their byte"
