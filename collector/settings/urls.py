"""URLs of the services the collector speaks to, in parts, with their credentials out of sight."""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, unquote, urlsplit

from pydantic import SecretStr

from collector.settings.reader import SEPARATELY, Reader, UnfitError

UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
LABEL = re.compile(r"[\w-]{1,63}")

BROKER_PORTS: Mapping[str, int] = {"mqtt": 1883, "tcp": 1883, "mqtts": 8883, "ws": 80, "wss": 443}
HTTP_PORTS: Mapping[str, int] = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, repr=False)
class _Url:
    scheme: str
    host: str
    port: int
    username: str | None = None
    password: SecretStr | None = None
    path: str = ""

    @property
    def netloc(self) -> str:
        """`host:port`, an IPv6 address in brackets."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.netloc}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"


@dataclass(frozen=True, slots=True, repr=False)
class BrokerUrl(_Url):
    """Where the broker is: `scheme` is `mqtt`, `mqtts`, `ws` or `wss`.

    `path` (with its query) is that of `ws` and `wss`, else empty. `str` and `repr` show scheme, host and
    port alone.
    """

    @property
    def tls(self) -> bool:
        """Whether the connection is encrypted."""
        return self.scheme in ("mqtts", "wss")

    @property
    def websocket(self) -> bool:
        """Whether MQTT travels in a WebSocket."""
        return self.scheme in ("ws", "wss")


@dataclass(frozen=True, slots=True, repr=False)
class ServerUrl(_Url):
    """Where an HTTP server is: `scheme` is `http` or `https`, `path` has no `/` at its end.

    `str` and `repr` show scheme, host and port alone.
    """

    @property
    def base(self) -> str:
        """The URL without its credentials and without a `/` at its end: append `/api/…`."""
        return f"{self}{self.path}"


def host_name(text: str) -> str:
    """A host name or an IP address (IPv6 with or without brackets), for a socket. Raises `UnfitError`."""
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    if ":" in bare:
        try:
            return str(ipaddress.IPv6Address(bare))
        except ValueError:
            raise UnfitError("the host is no IPv6 address") from None
    name = bare.removesuffix(".")
    if len(name) > 253 or not all(LABEL.fullmatch(label) for label in name.split(".")):
        raise UnfitError("the host name is missing or has characters that no host name has")
    return bare


def _broker_url(text: str) -> BrokerUrl:
    parts = _split(text, BROKER_PORTS)
    scheme = "mqtt" if parts.scheme == "tcp" else parts.scheme
    path = ""
    if scheme in ("ws", "wss"):
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return BrokerUrl(scheme, *_authority(parts, BROKER_PORTS), path)


def _server_url(text: str) -> ServerUrl:
    parts = _split(text, HTTP_PORTS)
    if parts.query:
        raise UnfitError(f"it has a ?; if that belongs to a password, {SEPARATELY}")
    return ServerUrl(parts.scheme, *_authority(parts, HTTP_PORTS), parts.path.rstrip("/"))


def _split(text: str, ports: Mapping[str, int]) -> SplitResult:
    try:
        parts = urlsplit(text)
    except ValueError:
        raise UnfitError("the host can not be read") from None
    if "://" not in text or parts.scheme not in ports:
        raise UnfitError(f"it does not start with {' or '.join(f'{scheme}://' for scheme in ports)}")
    if parts.fragment or "@" in parts.path + parts.query:
        raise UnfitError(SEPARATELY)
    if re.search(r"\s", text):
        raise UnfitError("it has a space in it")
    return parts


def _authority(parts: SplitResult, ports: Mapping[str, int]) -> tuple[str, int, str | None, SecretStr | None]:
    username, password = _credentials(parts)
    return host_name(parts.hostname or ""), _port(parts, ports), username, password


def _port(parts: SplitResult, ports: Mapping[str, int]) -> int:
    try:
        port = parts.port
    except ValueError:
        raise UnfitError(f"the port is no number from 1 to 65535 (or: {SEPARATELY})") from None
    if port == 0:
        raise UnfitError("the port is 0")
    return port or ports[parts.scheme]


def _credentials(parts: SplitResult) -> tuple[str | None, SecretStr | None]:
    if "@" not in parts.netloc:
        return None, None
    username, password = _decoded(parts.username or ""), _decoded(parts.password or "")
    if password and not username:
        raise UnfitError("it has a password but no user name")
    return username or None, SecretStr(password) if password else None


def _decoded(text: str) -> str:
    try:
        decoded = unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise UnfitError("the percent-encoded user name or password is not UTF-8") from None
    if UNPRINTABLE.search(decoded):
        raise UnfitError("the user name or password has a control character")
    return decoded


BROKER_URL = Reader("mqtt://host:1883 (or mqtts://, ws://, wss://, tcp://)", _broker_url)
SERVER_URL = Reader("http://host:port or https://host:port", _server_url)
