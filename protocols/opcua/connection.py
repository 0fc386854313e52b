"""Where an OPC-UA server is, who we are to it, and how both sides prove it."""

import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import SplitResult, urlsplit

from protocols.connection_fields import ConnectionFields
from protocols.errors import Refused

DEFAULT_PORT = 4840
DEFAULT_PUBLISHING_MS = 500

_SCHEME = "opc.tcp"
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")
_LOGIN_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}", re.ASCII)
_DEPRECATED = ("basic128rsa15", "basic256")

# Devices share a session only if their secrets are the same, and a link is shown in logs: so it holds a digest
# that means nothing outside this process.
_DIGEST_KEY = secrets.token_bytes(32)


class SecurityPolicy(StrEnum):
    """What protects the connection, by the names of the specification."""

    NONE = "None"
    BASIC256SHA256 = "Basic256Sha256"
    AES128_SHA256_RSA_OAEP = "Aes128Sha256RsaOaep"
    AES256_SHA256_RSA_PSS = "Aes256Sha256RsaPss"


_WITHOUT_A_USER = "connection.password is not used: there is no connection.username for it"


class SecurityMode(StrEnum):
    """How much of the policy is applied to messages."""

    NONE = "None"
    SIGN = "Sign"
    SIGN_AND_ENCRYPT = "SignAndEncrypt"


@dataclass(frozen=True, slots=True)
class OpcUaConnection:
    """A checked `connection`. Neither its text form nor its link shows the password.

    `path` begins with a slash or is empty. `user_certificate` names files in the state folder; see
    `protocols.opcua.certificates`. `pinned_sha256` is 64 lower-case hexadecimal digits; without it the certificate
    that the server shows first is trusted from then on. `remark` is what was written and is not used.
    """

    host: str
    port: int
    path: str
    policy: SecurityPolicy
    mode: SecurityMode
    username: str | None
    password: str | None = field(repr=False)
    user_certificate: str | None
    pinned_sha256: str | None
    publishing_interval_ms: int
    timeout_s: float
    remark: str | None = field(default=None, compare=False)

    @property
    def link(self) -> tuple[str | int, ...]:
        """Devices that name one endpoint as one user share a session."""
        return ("opcua", self.host, self.port, self.path, str(self.policy), str(self.mode), self._digest())

    @property
    def at(self) -> str:
        """Host and port, for messages about the wire."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def where(self) -> str:
        """For messages about the device: ``192.168.1.10:4840/press``."""
        return self.at + self.path

    @property
    def url(self) -> str:
        """``opc.tcp://192.168.1.10:4840/press``."""
        return f"{_SCHEME}://{self.where}"

    @property
    def insecure(self) -> bool:
        """Whether anybody on the network can read and change what is said."""
        return self.policy is SecurityPolicy.NONE

    def _digest(self) -> str:
        told = (self.username, self.password, self.user_certificate, self.pinned_sha256)
        return hashlib.blake2b(repr(told).encode(), key=_DIGEST_KEY, digest_size=8).hexdigest()


def read_connection(fields: Mapping[str, object], timeout_s: float) -> OpcUaConnection:
    """Check a document's `connection`. Raises `Refused` on the field that can not be used."""
    read = _OpcUaFields(fields)
    policy = read.policy()
    username = read.unshown("username")
    user_certificate = read.login_certificate()
    if username is not None and user_certificate is not None:
        raise Refused("user_certificate", "connection has username and user_certificate; expected one way to log in")
    password = read.unshown("password")
    host, port, path = read.endpoint()
    return OpcUaConnection(
        host=host,
        port=port,
        path=path,
        policy=policy,
        mode=read.mode(policy),
        username=username,
        password=password if username is not None else None,
        user_certificate=user_certificate,
        pinned_sha256=read.pin(),
        publishing_interval_ms=read.whole(
            ("publishing_interval_ms",), default=DEFAULT_PUBLISHING_MS, least=10, most=60_000
        ),
        timeout_s=timeout_s,
        remark=_WITHOUT_A_USER if password is not None and username is None else None,
    )


@dataclass(frozen=True)
class _OpcUaFields(ConnectionFields):
    def unshown(self, name: str) -> str | None:
        """A field as it was written; a number counts as its digits. Messages never repeat it: it may be secret."""
        found = self._find(name)
        if found is None:
            return None
        if isinstance(found[1], bool) or not isinstance(found[1], str | int):
            raise Refused(name, f"connection.{name} is no text")
        return str(found[1])

    def endpoint(self) -> tuple[str, int, str]:
        """Host, port and path, of a URL or of fields of their own."""
        found = self._find("endpoint", "endpoint_url", "url")
        if found is None:
            port = self.whole(("port",), default=DEFAULT_PORT, least=1, most=65_535)
            return self.host(), port, _path(self.unshown("path") or "")
        name, given = found
        url = _split(name, given)
        port = url.port or DEFAULT_PORT
        host = ConnectionFields({"host": f"[{url.hostname}]" if ":" in (url.hostname or "") else url.hostname}).host()
        return host, port, _path(url.path)

    def policy(self) -> SecurityPolicy:
        written = (self.unshown("security_policy") or "None").rpartition("#")[2]
        bare = _bare(written)
        if bare in _DEPRECATED:
            raise Refused(
                "security_policy",
                f"connection.security_policy {written} is deprecated, for it can be broken; expected "
                f"{_choice(SecurityPolicy)}",
            )
        for policy in SecurityPolicy:
            if bare == _bare(policy):
                return policy
        raise Refused(
            "security_policy", f"connection.security_policy is {written!r}; expected {_choice(SecurityPolicy)}"
        )

    def mode(self, policy: SecurityPolicy) -> SecurityMode:
        """With a policy, what is not said is signed and encrypted."""
        plain = policy is SecurityPolicy.NONE
        written = self.unshown("security_mode")
        if written is None:
            return SecurityMode.NONE if plain else SecurityMode.SIGN_AND_ENCRYPT
        mode = next((mode for mode in SecurityMode if _bare(written) == _bare(mode)), None)
        if mode is None:
            raise Refused("security_mode", f"connection.security_mode is {written!r}; expected {_choice(SecurityMode)}")
        if plain != (mode is SecurityMode.NONE):
            expected = "None" if plain else "Sign or SignAndEncrypt"
            raise Refused(
                "security_mode",
                f"connection.security_mode is {mode}, but security_policy is {policy}; expected {expected} with it",
            )
        return mode

    def pin(self) -> str | None:
        """The one certificate that the server may show."""
        written = self.unshown("server_certificate_sha256")
        trust = self.word("trust")
        if trust not in (None, "first_use"):
            raise Refused("trust", f"connection.trust is {trust!r}; expected first_use, or server_certificate_sha256")
        if written is None:
            return None
        pin = written.replace(":", "").replace(" ", "").lower()
        if not _FINGERPRINT.fullmatch(pin):
            raise Refused(
                "server_certificate_sha256",
                f"connection.server_certificate_sha256 is {written!r}; expected the 64 hexadecimal digits of the "
                "SHA-256 fingerprint of the server's certificate",
            )
        return pin

    def login_certificate(self) -> str | None:
        name = self.unshown("user_certificate")
        if name is not None and not _LOGIN_NAME.fullmatch(name):
            raise Refused(
                "user_certificate",
                f"connection.user_certificate is {name!r}; expected the name of a pair of files that the gateway "
                "keeps, of letters, digits, '.', '_' and '-', and no path",
            )
        return name


def _split(name: str, given: object) -> SplitResult:
    """The message does not repeat the URL, which may hold a password."""
    expected = f"expected {_SCHEME}://host:port/path"
    try:
        url = urlsplit(given.strip()) if isinstance(given, str) else None
        usable = url is not None and url.scheme == _SCHEME and url.hostname and url.port != 0
    except ValueError:
        usable = False
    if not usable or url is None:
        raise Refused(name, f"connection.{name} can not be read; {expected}")
    if "@" in url.netloc:
        raise Refused(name, f"connection.{name} has a user in it; expected fields of their own: username and password")
    return url


def _path(written: str) -> str:
    path = written.strip().rstrip("/")
    return path if not path or path.startswith("/") else f"/{path}"


def _bare(name: str) -> str:
    return name.replace("_", "").replace("-", "").replace(" ", "").lower()


def _choice(names: type[StrEnum]) -> str:
    return ", ".join(names)
