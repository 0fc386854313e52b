"""Secrets that can be told from everything else, and the search for them in whatever form they may have got out."""

import base64
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
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

_SETTINGS: Mapping[str, str] = {
    "EDGE_API_TOKEN": CANARIES["fleet"],
    "MQTT_PASSWORD": CANARIES["mqtt"],
    "HTTP_TOKEN": CANARIES["page"],
}
_URLS: Mapping[str, str] = {
    "MQTT_BROKER_URL": CANARIES["url"],
    "UPLINK_URL": CANARIES["uplink"],
}
_EACH_SIDE = 40


def with_canaries(variables: Mapping[str, object]) -> dict[str, object]:
    """The settings of a collector at DEBUG, with a canary in place of every secret that they do not set themselves.

    A URL that is not there is not made: what it leads to would be there too.
    """
    settings = {"LOG_LEVEL": "DEBUG", "MQTT_USERNAME": "edge", **variables}
    for name, secret in _SETTINGS.items():
        if f"{name}_FILE" not in variables:
            settings.setdefault(name, secret)
    for name in _URLS & variables.keys():
        if "@" not in (url := str(variables[name])):
            settings[name] = url.replace("://", f"://edge:{_URLS[name]}@", 1)
    return settings


def found_in(raw: bytes, secrets: Iterable[str] = CANARIES.values()) -> list[str]:
    """Those of the secrets that stand in these bytes: plain, escaped, URL-encoded, or within base64."""
    return [secret for secret in secrets if any(form in raw for form in _raw_forms(secret))]


def excerpts(raw: bytes, secrets: Iterable[str] = CANARIES.values()) -> list[bytes]:
    """The same as the bytes around the first place of each, for who must find the leak."""
    places = [(raw.find(form), len(form)) for secret in secrets for form in _raw_forms(secret)]
    return [raw[max(at - _EACH_SIDE, 0) : at + length + _EACH_SIDE] for at, length in places if at >= 0]


def files_with(
    folder: Path, spared: Iterable[Path], secrets: Iterable[str] = CANARIES.values()
) -> dict[str, list[bytes]]:
    """The files below a folder in which a canary stands, and the bytes around it; `spared` are where some must be."""
    let_be = set(spared)
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and path not in let_be)
    found = {str(path.relative_to(folder)): excerpts(path.read_bytes(), secrets) for path in files}
    return {name: places for name, places in found.items() if places}


@cache
def _raw_forms(secret: str) -> frozenset[bytes]:
    """Many are the same; each is looked for once."""
    return frozenset(_disguises(secret))


def _disguises(secret: str) -> Iterator[bytes]:
    for form in forms_of(secret):
        yield form.encode()
    raw = secret.encode()
    yield raw.hex().encode()
    yield secret.encode("utf-16-le")
    for before in range(3):  # in base64 a text looks different at each third of a byte; its edges are its neighbours'
        encoded = base64.b64encode(b"\0" * before + raw + b"\0\0")
        yield encoded[4 if before else 0 : len(raw) * 4 // 3 - 4]
