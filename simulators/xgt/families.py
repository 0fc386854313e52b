"""What PLCs of each family have and allow. Sizes are in words."""

from collections.abc import Mapping
from dataclasses import dataclass

_XGK = {
    "P": 2048, "M": 2048, "L": 11264, "K": 8192, "F": 2048, "T": 2048, "C": 2048, "D": 32768, "N": 21504,
    "R": 32768, "W": 65536, "Z": 128, "U": 4096,
}  # fmt: skip
_XGI = {
    "I": 8192,
    "Q": 8192,
    "M": 131072,
    "L": 11264,
    "K": 8192,
    "F": 2048,
    "N": 25088,
    "R": 32768,
    "W": 65536,
    "U": 4096,
}
_XGB = {
    "P": 1024, "M": 1024, "L": 2048, "K": 4096, "F": 1024, "T": 256, "C": 256, "D": 10240, "N": 5120, "R": 10240,
    "Z": 128, "U": 512,
}  # fmt: skip
_XGB_IEC = {
    "I": 1024,
    "Q": 1024,
    "M": 8192,
    "L": 2048,
    "K": 4096,
    "F": 768,
    "N": 5120,
    "R": 10240,
    "W": 10240,
    "U": 512,
}


@dataclass(frozen=True, slots=True)
class Family:
    """`cpu` is how answers name it. `hex_bits`: a bit is named by its word and a hexadecimal digit, as %MX172C; else
    bits are counted through, as %MX2764. A family without `knows_status` meets that command with silence."""

    name: str
    cpu: int
    plc_info: int
    sizes: Mapping[str, int]
    max_block: int
    max_connections: int
    hex_bits: bool = False
    knows_status: bool = True


_FAMILIES = {
    family.name: family
    for family in (
        Family("xgk", 0xA0, 0x04, _XGK, 1400, 16),
        Family("xgi", 0xA4, 0x04, _XGI, 1400, 16),
        Family("xgr", 0xA8, 0x01, _XGI, 1400, 16),
        Family("xgb", 0xB0, 0x07, _XGB, 512, 4, hex_bits=True, knows_status=False),
        Family("xgb_iec", 0xB4, 0x07, _XGB_IEC, 512, 4, knows_status=False),
    )
}


def family_of(name: str) -> Family:
    """The family by its name. Raises `ValueError` for others."""
    if name not in _FAMILIES:
        raise ValueError(f"family {name!r} is unknown; expected one of {', '.join(_FAMILIES)}")
    return _FAMILIES[name]
