"""Where a simulator listens, and where its broker is."""

import socket
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

_PORTS = {"mqtt": 1883, "tcp": 1883, "mqtts": 8883, "ws": 80, "wss": 443}


def listen(host: str, port: int) -> socket.socket:
    """A listening TCP socket; `port` 0 takes any free one. Raises `OSError` that says what to do."""
    try:
        return socket.create_server((host, port), family=_family(host))
    except OSError as error:
        advice = "if the port is in use, choose another one (0 takes any free port)"
        message = f"can not listen on {host}:{port}: {error.strerror}; {advice}"
        raise OSError(error.errno, message) from error


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """A broker URL, taken apart."""

    scheme: str
    host: str
    port: int
    path: str
    username: str | None
    password: str | None

    @classmethod
    def parse(cls, url: str) -> "BrokerAddress":
        """``mqtt://user:password@host:port``. Raises `ValueError` that says what is expected."""
        parts = urlsplit(url)
        if parts.scheme not in _PORTS or not parts.hostname:
            raise ValueError(f"broker URL {url!r} is not understood; expected {', '.join(_PORTS)}://host:port")
        return cls(
            parts.scheme,
            parts.hostname,
            parts.port or _PORTS[parts.scheme],
            parts.path or "/mqtt",
            unquote(parts.username) if parts.username else None,
            unquote(parts.password) if parts.password else None,
        )

    @property
    def encrypted(self) -> bool:
        return self.scheme in ("mqtts", "wss")

    @property
    def websockets(self) -> bool:
        return self.scheme in ("ws", "wss")
