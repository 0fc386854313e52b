"""Secrets that can be told from everything else, and the search for them in whatever form they may have got out."""

import base64
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from collector.settings.masking import forms_of

CANARIES: Mapping[str, str] = {
    "mqtt": 'cnry-mqtt-7f3a"b\\c 비밀',
    "old mqtt": "cnry-formermqtt-91bc",
    "fleet": "cnry-fleet-token-55d0",
    "page": "cnry-page-token-c2e9",
    "url": "cnry-url-password-18aa",
    "server": "cnry-server-password-4be1",
    "uplink": "cnry-uplink-password-e07d",
    "plc": "cnry-plc-password-33f6",
    "variable": "cnry-variable-a9d4",
    "key": "cnry-key-material-60cd",
}


def found_in(raw: bytes, secrets: Iterable[str] = CANARIES.values()) -> list[str]:
    """Those of the secrets that stand in these bytes: plain, escaped, URL-encoded, or within base64."""
    return [secret for secret in secrets if any(form in raw for form in _raw_forms(secret))]


def files_with(folder: Path, spared: Iterable[Path]) -> dict[str, list[str]]:
    """The files below a folder in which a canary stands, and which; `spared` are where some must be."""
    let_be = set(spared)
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and path not in let_be)
    found = {str(path.relative_to(folder)): found_in(path.read_bytes()) for path in files}
    return {name: secrets for name, secrets in found.items() if secrets}


def _raw_forms(secret: str) -> Iterator[bytes]:
    for form in forms_of(secret):
        yield form.encode()
    raw = secret.encode()
    yield raw.hex().encode()
    yield secret.encode("utf-16-le")
    for before in range(3):  # in base64 a text looks different at each third of a byte; its edges are its neighbours'
        encoded = base64.b64encode(b"\0" * before + raw + b"\0\0")
        yield encoded[4 if before else 0 : len(raw) * 4 // 3 - 4]
