"""How each protocol writes an address: enough to tell them apart, before any driver is loaded.

That an address fits says nothing of its ranges; the driver checks those.
"""

import re

MODBUS_CLASSIC = re.compile(r"(?P<area>[0134])(?P<number>\d{4,5})(?:\.(?P<bit>\d{1,2}))?", re.ASCII)
"""``40001``, ``400001``, ``30001.5``: the first digit is the area, the rest counts from one."""

MODBUS_NAMED = re.compile(r"(?P<area>C|DI|IR|HR)(?P<number>\d{1,5})(?:\.(?P<bit>\d{1,2}))?", re.ASCII | re.IGNORECASE)
"""``HR0``, ``C12``: the letters are the area, the number counts from zero."""

_XGT = (
    re.compile(r"%[A-Z][XBWDL]\d[\d.]*[0-9A-F]?", re.ASCII | re.IGNORECASE),
    re.compile(r"[PMLKF]\d+[0-9A-F]?", re.ASCII | re.IGNORECASE),
    re.compile(r"[PLKFTCDNRUZSW]\d+\.(?:1[0-5]|[0-9A-F])", re.ASCII | re.IGNORECASE),
    re.compile(r"M\d+\.(?:1[0-5]|[89A-F])", re.ASCII | re.IGNORECASE),  # to bit 7 it is an S7 address
    re.compile(r"[TCDNRUZSW]\d+", re.ASCII | re.IGNORECASE),
    re.compile(r"U[0-7]?[0-9A-F]\.\d{1,2}(?:\.(?:1[0-5]|[0-9A-F]))?", re.ASCII | re.IGNORECASE),
)
_S7 = (
    re.compile(r"DB\d+\.(?:DBX\d+\.[0-7]|DB[BWD]\d+|W?STRING\d+(?:\.\d+)?)", re.ASCII | re.IGNORECASE),
    re.compile(r"[MIEQA](?:\d+\.[0-7]|[BWD]\d+)", re.ASCII | re.IGNORECASE),
    re.compile(r"[TCZ]\d+", re.ASCII | re.IGNORECASE),
)
_OPCUA = (re.compile(r"(?:ns=\d+;|nsu=[^;]+;)?(?:[sgb]=.+|i=\d+)", re.ASCII | re.DOTALL),)

_GRAMMARS = {
    "modbus_tcp": (MODBUS_CLASSIC, MODBUS_NAMED),
    "xgt": _XGT,
    "s7": _S7,
    "opcua": _OPCUA,
}


def fits(protocol: str, address: str) -> bool:
    """Whether the address is of the protocol's grammar; False for protocols that have none here."""
    return any(grammar.fullmatch(address.strip()) for grammar in _GRAMMARS.get(protocol, ()))


def speakers(address: str) -> frozenset[str]:
    """The protocols whose grammar the address fits."""
    return frozenset(protocol for protocol in _GRAMMARS if fits(protocol, address))
