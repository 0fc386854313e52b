"""Which broker, and how to speak to it. Built from the settings elsewhere."""

import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Literal


class MqttVersion(StrEnum):
    """Protocol versions, as the settings spell them."""

    V5 = "5"
    V311 = "3.1.1"


@dataclass(frozen=True, slots=True)
class TlsOptions:
    """Without a `ca_file` the system's authorities count. `insecure` turns all verification off."""

    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    insecure: bool = False

    def context(self) -> ssl.SSLContext:
        """Read the files anew, so that renewed certificates count from the next connection on.

        Raises `OSError` (also as `ssl.SSLError`) for files that are missing or are no certificates.
        """
        context = ssl.create_default_context(cafile=str(self.ca_file) if self.ca_file else None)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self.cert_file is not None:
            context.load_cert_chain(self.cert_file, self.key_file)
        if self.insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


@dataclass(frozen=True, slots=True)
class MqttOptions:
    """One broker. `versions` are tried in order; `path` counts for websockets.

    `renewed_password` is asked before each connection, in the thread that makes it, and may block; None: `password`.
    """

    host: str
    port: int
    transport: Literal["tcp", "websockets"] = "tcp"
    path: str = "/"
    tls: TlsOptions | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    renewed_password: Callable[[], str | None] = lambda: None
    versions: tuple[MqttVersion, ...] = (MqttVersion.V5, MqttVersion.V311)
    keepalive_s: int = 15

    @property
    def url(self) -> str:
        """Where it is, without credentials."""
        scheme = "ws" if self.transport == "websockets" else "mqtt"
        host = f"[{self.host}]" if ":" in self.host else self.host
        path = self.path if self.transport == "websockets" else ""
        return f"{scheme}{'s' if self.tls else ''}://{host}:{self.port}{path}"
