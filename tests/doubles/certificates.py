"""Certificates of every kind of wrongness, made on the spot."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
DAY = timedelta(days=1)


class Authority:
    """Signs. Its own certificate is `file`; with an `above` it is an intermediate one."""

    def __init__(self, folder: Path, name: str, *, above: "Authority | None" = None, ended: bool = False) -> None:
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.key = ec.generate_private_key(ec.SECP256R1())
        self._folder = folder
        signer = above or self
        start, end = (-10 * DAY, -DAY) if ended else (-DAY, DAY)
        self.certificate = _sign(self.name, self.key, signer.name, signer.key, start, end, authority=True)
        self.file = folder / f"{name}.crt"
        self.file.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))

    def issue(
        self,
        name: str,
        *,
        hosts: tuple[str, ...] = ("localhost",),
        start: timedelta = -DAY,
        end: timedelta = DAY,
        weak: bool = False,
        for_clients: bool = False,
        common_name: str = "localhost",
    ) -> tuple[Path, Path]:
        """Certificate and key for a server or a client, as files."""
        key: PrivateKey = ec.generate_private_key(ec.SECP256R1())
        if weak:
            key = rsa.generate_private_key(65537, 1024)  # noqa: S505 - that is the point
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
        certificate = _sign(subject, key, self.name, self.key, start, end, hosts=hosts, for_clients=for_clients)
        files = self._folder / f"{name}.crt", self._folder / f"{name}.key"
        files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        files[1].write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return files


def _sign(
    subject: x509.Name,
    key: PrivateKey,
    issuer: x509.Name,
    signer: PrivateKey,
    start: timedelta,
    end: timedelta,
    *,
    hosts: tuple[str, ...] = (),
    authority: bool = False,
    for_clients: bool = False,
) -> x509.Certificate:
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + start)
        .not_valid_after(now + end)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    if hosts:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(h) for h in hosts]), critical=False)
    if for_clients:
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
    return builder.sign(signer, hashes.SHA256())
