"""When a certificate ends, read from its PEM file: the standard library tells it of the other side's only."""

import re
import ssl
from datetime import UTC, datetime
from pathlib import Path

_SEQUENCE, _VERSION = 0x30, 0xA0
_FORMS = {0x17: "%y%m%d%H%M%SZ", 0x18: "%Y%m%d%H%M%SZ"}
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)


def ends_at(file: Path) -> datetime:
    """The end of the first certificate in the file, in UTC. Raises `OSError`, and `ValueError` for what is none."""
    first = _PEM.search(file.read_text("ascii", errors="replace"))
    if first is None:
        raise ValueError("there is no certificate in it")
    try:
        return _ends_at(ssl.PEM_cert_to_DER_cert(first[0]))
    except IndexError:
        raise ValueError("it is cut off") from None


def _ends_at(der: bytes) -> datetime:
    at = _into(der, _into(der, 0))  # Certificate, TBSCertificate
    if der[at] == _VERSION:
        at = _past(der, at)
    for _ in ("serial number", "signature", "issuer"):
        at = _past(der, at)
    end = _past(der, _into(der, at))  # Validity: from, until
    form, begin, after = _FORMS.get(der[end], ""), *_bounds(der, end)
    return datetime.strptime(der[begin:after].decode("ascii"), form).replace(tzinfo=UTC)


def _into(der: bytes, at: int) -> int:
    if der[at] != _SEQUENCE:
        raise ValueError("it is no X.509 certificate")
    return _bounds(der, at)[0]


def _past(der: bytes, at: int) -> int:
    return _bounds(der, at)[1]


def _bounds(der: bytes, at: int) -> tuple[int, int]:
    """Where the contents of the element at this place begin and end."""
    length, begin = der[at + 1], at + 2
    if length & 0x80:
        more = length & 0x7F
        length, begin = int.from_bytes(der[begin : begin + more]), begin + more
    return begin, begin + length
