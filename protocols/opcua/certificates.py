"""Who we are to servers, and which servers we know: certificates in the folder that the caller gave us.

``own/certificate.der`` and ``own/key.pem`` are made at first use and stay: servers are told to trust them.
``servers/HOST_PORT.der`` is what a server showed when it was first met. ``users/NAME.der`` (or ``.pem``) and
``users/NAME.key.pem`` are put there by a person, for a log-in by certificate.
"""

import hashlib
import os
import re
import socket
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from protocols.errors import ConnectFailed
from protocols.opcua.connection import OpcUaConnection

_making = threading.Lock()

# Fixed, for a gateway without a battery makes its certificate before it knows what year it is.
_VALID_FROM = datetime(2020, 1, 1, tzinfo=UTC)
_VALID_UNTIL = datetime(2049, 12, 31, tzinfo=UTC)
_KEY_BITS = 2048  # the most that every policy and every small server takes
_MOST_HOST_NAME = 40  # so that the common name keeps within its 64 characters


@dataclass(frozen=True, slots=True)
class Identity:
    """A certificate (DER) and its private key. `uri` is that of the application it names, if any."""

    certificate: x509.Certificate
    key: rsa.RSAPrivateKey = field(repr=False)
    uri: str

    @property
    def der(self) -> bytes:
        """The certificate as it goes over the wire."""
        return self.certificate.public_bytes(serialization.Encoding.DER)


def fingerprint(certificate: bytes) -> str:
    """SHA-256 over a certificate (DER), as 64 lower-case hexadecimal digits."""
    return hashlib.sha256(certificate).hexdigest()


def own_identity(folder: Path) -> Identity:
    """Ours, made at first use. Raises `ConnectFailed` when its files can not be read or written. Blocks."""
    certificate, key = folder / "own" / "certificate.der", folder / "own" / "key.pem"
    with _making:
        try:
            if not certificate.exists():
                _make(certificate, key)
            return _load(certificate, key)
        except (OSError, ValueError, UnsupportedAlgorithm) as error:
            raise ConnectFailed(f"the collector's own certificate in {certificate.parent}: {error}") from None


def user_identity(folder: Path, name: str) -> Identity:
    """The pair of files for a log-in by certificate. Raises `ConnectFailed` that names the file. Blocks."""
    der, pem, key = (folder / "users" / f"{name}{ending}" for ending in (".der", ".pem", ".key.pem"))
    try:
        return _load(der if der.exists() else pem, key)
    except (OSError, ValueError, UnsupportedAlgorithm) as error:
        message = f"connection.user_certificate {name}: expected {der} (or .pem) and {key} ({error})"
        raise ConnectFailed(message) from None


def judge_server(certificate: bytes, connection: OpcUaConnection, folder: Path | None) -> None:
    """Pass the certificate (DER) that is pinned, else the one that was first seen, which is kept. Blocks.

    Raises `ConnectFailed` that shows the fingerprint of any other.
    """
    shown = fingerprint(certificate)
    if connection.pinned_sha256 is not None:
        if shown != connection.pinned_sha256:
            # The fingerprint first, for the status cuts long texts.
            raise ConnectFailed(
                f"certificate {shown} of {connection.where} is not the pinned one: "
                f"connection.server_certificate_sha256 is {connection.pinned_sha256}"
            )
        return
    if folder is None:
        raise ConnectFailed(_no_folder(connection, f"; or set connection.server_certificate_sha256 to {shown}"))
    known = folder / "servers" / _file_name(connection)
    try:
        if not known.exists():
            _write(known, certificate)
        trusted = fingerprint(known.read_bytes())
    except OSError as error:
        raise ConnectFailed(f"{connection.where}: the trusted certificate {known} can not be kept ({error})") from None
    if shown != trusted:
        raise ConnectFailed(
            f"certificate {shown} of {connection.where} is not the one trusted at first use: that is {trusted}. If it "
            f"was renewed, set connection.server_certificate_sha256 to {shown} or delete {known}; if not, somebody may "
            f"be posing as the server"
        )


def needed(folder: Path | None, connection: OpcUaConnection) -> Path:
    """The folder. Raises `ConnectFailed` when there is none."""
    if folder is None:
        raise ConnectFailed(_no_folder(connection, ""))
    return folder


def _no_folder(connection: OpcUaConnection, otherwise: str) -> str:
    return f"{connection.where}: no folder was given to keep certificates in, which this connection needs{otherwise}"


def _file_name(connection: OpcUaConnection) -> str:
    return f"{re.sub(r'[^a-z0-9.-]', '-', connection.host)}_{connection.port}.der"


def _make(certificate_file: Path, key_file: Path) -> None:
    """The key first: without the certificate it counts for nothing and is made anew."""
    host = re.sub(r"[^A-Za-z0-9.-]", "-", socket.gethostname())[:_MOST_HOST_NAME] or "gateway"
    key = rsa.generate_private_key(public_exponent=65537, key_size=_KEY_BITS)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    certificate = _sign(key, host)
    _write(key_file, pem)
    _write(certificate_file, certificate.public_bytes(serialization.Encoding.DER))


def _sign(key: rsa.RSAPrivateKey, host: str) -> x509.Certificate:
    """As OPC 10000-6, 6.2.2 wants an application's certificate."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"edge-collector@{host}")])
    names = [x509.UniformResourceIdentifier(f"urn:{host}:edge-collector"), x509.DNSName(host)]
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=True,
        key_encipherment=True,
        data_encipherment=True,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    public = key.public_key()
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(_VALID_FROM)
        .not_valid_after(_VALID_UNTIL)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )


def _load(certificate_file: Path, key_file: Path) -> Identity:
    written = certificate_file.read_bytes()
    pem = written.lstrip().startswith(b"-----")
    certificate = x509.load_pem_x509_certificate(written) if pem else x509.load_der_x509_certificate(written)
    try:
        key = serialization.load_pem_private_key(key_file.read_bytes(), password=None)
    except TypeError:
        raise ValueError(f"{key_file.name} is protected by a password; expected it without one") from None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError(f"{key_file.name} holds no RSA key, which OPC-UA needs")
    if key.public_key().public_numbers() != _public_numbers(certificate):
        raise ValueError(f"{key_file.name} is not the key of {certificate_file.name}")
    return Identity(certificate, key, _uri(certificate))


def _public_numbers(certificate: x509.Certificate) -> rsa.RSAPublicNumbers | None:
    public = certificate.public_key()
    return public.public_numbers() if isinstance(public, rsa.RSAPublicKey) else None


def _uri(certificate: x509.Certificate) -> str:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ""
    return next(iter(names.get_values_for_type(x509.UniformResourceIdentifier)), "")


def _write(file: Path, content: bytes) -> None:
    """Whole or not at all, for nobody else's eyes."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = file.with_name(f"{file.name}.draft")
    draft.unlink(missing_ok=True)
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as written:
        written.write(content)
        written.flush()
        os.fsync(written.fileno())
    draft.replace(file)
