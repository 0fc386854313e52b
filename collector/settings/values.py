"""Readers of single values: what a person writes, leniently, into the type the collector works with."""

import codecs
import ipaddress
import re
import zoneinfo
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import SecretStr

from collector.settings.reader import Reader, UnfitError
from collector.settings.urls import host_name

T = TypeVar("T")
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_ON, _OFF = frozenset({"true", "1", "yes", "on"}), frozenset({"false", "0", "no", "off"})
_EDGE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_HEADER_TEXT = re.compile(r"[!-~]+")
_WHOLE = re.compile(r"[0-9]{1,12}")
_DECIMAL = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")


@dataclass(frozen=True, slots=True)
class HostPort:
    """One server of a list."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def choice(*options: str, aliases: Mapping[str, str] | None = None) -> Reader[str]:
    """One of a few words, whatever the case, `-`, `_` or space; it comes out as it is in `options`."""
    known = {_folded(option): option for option in options}
    known |= {_folded(alias): option for alias, option in (aliases or {}).items()}

    def read(text: str) -> str:
        if (option := known.get(_folded(text))) is None:
            raise UnfitError
        return option

    return Reader(" or ".join(options) if len(options) < 3 else f"one of {', '.join(options)}", read)


def whole_number(low: int, high: int) -> Reader[int]:
    """An integer in a range, both ends included."""

    def read(text: str) -> int:
        if not _WHOLE.fullmatch(text) or not low <= int(text) <= high:
            raise UnfitError
        return int(text)

    return Reader(f"a whole number from {low} to {high}", read)


def seconds(low: float, high: float) -> Reader[float]:
    """A duration in seconds, both ends included."""
    return Reader(f"seconds from {low:.9g} to {high:.9g}", _decimal(low, high))


def rate_or_auto(low: float, high: float) -> Reader[float | None]:
    """Messages a second; None is `auto`."""
    number = _decimal(low, high)
    return Reader(
        f"auto, or a number from {low:.9g} to {high:.9g}",
        lambda text: None if text.lower() == "auto" else number(text),
    )


def text_up_to(length: int) -> Reader[str]:
    """Any text of a bounded length."""

    def read(text: str) -> str:
        if len(text) > length:
            raise UnfitError(f"it has {len(text)} characters")
        return text

    return Reader(f"text of at most {length} characters", read)


def list_of(what: str, item: Callable[[str], T], nothing: str = "") -> Reader[tuple[T, ...]]:
    """Values separated by commas; the word `nothing` stands for the empty list."""

    def read(text: str) -> tuple[T, ...]:
        if nothing and text.lower() == nothing:
            return ()
        if not (items := tuple(item(part.strip()) for part in text.split(",") if part.strip())):
            raise UnfitError
        return items

    return Reader(what, read)


def template(what: str, length: int, forbidden: str = "") -> Reader[str]:
    """Text in which `{edgeId}` stands for the edge id, without any of the `forbidden` characters."""

    def read(text: str) -> str:
        rest = text.replace("{edgeId}", "")
        if len(text) > length or any(character in rest for character in "{}" + forbidden):
            raise UnfitError
        return text

    return Reader(what, read)


def _folded(text: str) -> str:
    return re.sub(r"[-_\s]+", "_", text.strip().lower())


def _decimal(low: float, high: float) -> Callable[[str], float]:
    def read(text: str) -> float:
        if not _DECIMAL.fullmatch(text) or not low <= float(text) <= high:
            raise UnfitError
        return float(text)

    return read


def _switch(text: str) -> bool:
    if text.lower() in _ON | _OFF:
        return text.lower() in _ON
    raise UnfitError


def _edge_id(text: str) -> str:
    if not _EDGE_ID.fullmatch(text):
        raise UnfitError
    return text


def _header_token(text: str) -> SecretStr:
    if not _HEADER_TEXT.fullmatch(token := text.strip()):
        raise UnfitError("it has a character that no HTTP header can carry")
    return SecretStr(token)


def _time_zone(text: str) -> zoneinfo.ZoneInfo:
    try:
        return zoneinfo.ZoneInfo(text)
    except (KeyError, ValueError, OSError):
        raise UnfitError from None


def _encoding(text: str) -> str:
    try:
        name = codecs.lookup(text).name
        b"0".decode(name, errors="replace")
    except (LookupError, ValueError):
        raise UnfitError from None
    # Windows writes cp949 and calls it EUC-KR; the stricter codec lacks most Korean syllables.
    return "cp949" if name == "euc_kr" else name


def _network(text: str) -> Network:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise UnfitError from None


def _address(text: str) -> Address:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        raise UnfitError from None


def _host_port(text: str) -> HostPort:
    host, colon, port = text.rpartition(":")
    if not colon or text.endswith("]"):
        return HostPort(host_name(text), 9092)
    if not _WHOLE.fullmatch(port) or not 1 <= int(port) <= 65535:
        raise UnfitError("a port is no number from 1 to 65535")
    return HostPort(host_name(host), int(port))


def _readable_file(text: str) -> Path:
    path = Path(text)
    try:
        if path.is_file():
            with path.open("rb"):
                return path
    except OSError as error:
        raise UnfitError(error.strerror or "") from None
    raise UnfitError("there is no such file")


def _topic(text: str) -> str | None:
    return None if text.lower() == "off" else _TOPIC(text)


_TOPIC = template("", 512, forbidden="+#")

SWITCH = Reader("true or false", _switch)
SECRET: Reader[SecretStr] = Reader("a secret", SecretStr)
HEADER_TOKEN: Reader[SecretStr] = Reader("a token of printable ASCII characters, without a space", _header_token)
EDGE_ID = Reader("1 to 64 of the characters A-Z a-z 0-9 . _ -", _edge_id)
TOPIC = Reader("a topic without + and #, {edgeId} stands for the edge id; or off", _topic)
CLIENT_ID = template("at most 128 characters, {edgeId} stands for the edge id", 128)
TIME_ZONE = Reader("a time zone such as Asia/Seoul or UTC", _time_zone)
ENCODING = Reader("a text encoding such as utf-8, cp949, shift_jis, latin-1", _encoding)
NETWORKS = list_of("networks such as 192.168.1.0/24, separated by commas", _network, nothing="any")
ADDRESS = Reader("an IP address", _address)
HOST = Reader("a host name or an IP address", host_name)
HOSTS = list_of("host names, separated by commas", host_name)
KAFKA_SERVERS = list_of("host:port, separated by commas", _host_port)
READABLE_FILE = Reader("a file that can be read", _readable_file)
PATH = Reader("a path", Path)
LOG_LEVEL = choice("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL", aliases={"warn": "WARNING", "fatal": "CRITICAL"})
MQTT_VERSION = choice(
    "auto", "5", "3.1.1", aliases={"5.0": "5", "v5": "5", "v5.0": "5", "v3.1.1": "3.1.1", "311": "3.1.1"}
)
