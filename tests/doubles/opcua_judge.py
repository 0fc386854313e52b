"""An OPC-UA server that is not of our making: node-opcua in a process of its own, obeying orders."""

import json
import os
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

FOLDER = Path(__file__).parents[1] / "contract" / "opcua_judge"
USER, PASSWORD = "operator", "pw-canary-7f3a"


def require_judge() -> str:
    """The path of node, with node-opcua installed; skips the test without, but fails it in CI."""
    node = shutil.which("node")
    if node and (FOLDER / "node_modules" / "node-opcua").is_dir():
        return node
    missing = f"node-opcua is missing; install it by: npm ci --ignore-scripts --prefix {FOLDER}"
    if os.environ.get("CI"):
        pytest.fail(missing)
    pytest.skip(missing)


class Judge:
    """``with Judge(folder) as judge``; then `start` and `stop` the server in it as often as is liked."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._certificates = 0
        self._process: subprocess.Popen[str]
        self.port = 0
        self.certificate = b""
        self._pair = ""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [require_judge(), str(FOLDER / "server.cjs"), str(self._folder / "pki")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.renew_certificate()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()

    def order(self, order: str, **details: object) -> Any:
        """Give one order and wait until it is carried out."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps({"order": order, **details}) + "\n")
        self._process.stdin.flush()
        for line in self._process.stdout:
            if line.startswith("> "):
                answer = json.loads(line[2:])
                assert "error" not in answer, answer["error"]
                return answer
        raise AssertionError("the judge's process ended")

    def start(self, **options: object) -> None:
        """Serve, on the port of before if there was one. `options`: ``limits``, ``maxSessions``."""
        self.port = self.order("start", certificate=self._pair, **options)["port"]

    def stop(self) -> None:
        """Shut the server down; its nodes are forgotten."""
        self.order("stop")

    def add(self, node: str, type_: str, value: object, **details: object) -> str:
        """Add a variable to namespace 2, which is ``urn:judge:plant``; gives its address."""
        self.order("add", node=node, type=type_, value=value, **details)
        return f"ns=2;{node}"

    def renew_certificate(self) -> None:
        """The next start shows another certificate."""
        self._certificates += 1
        pair = self._folder / f"server{self._certificates}"
        self.certificate = make_certificate(pair, "urn:judge", server=True)
        self._pair = str(pair)


def make_certificate(pair: Path, uri: str, *, server: bool = False) -> bytes:
    """Write ``PAIR.pem`` and ``PAIR.key.pem``, self-signed; gives the certificate in DER."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, pair.name)])
    use = ExtendedKeyUsageOID.SERVER_AUTH if server else ExtendedKeyUsageOID.CLIENT_AUTH
    usage = x509.KeyUsage(True, True, True, True, False, True, False, False, False)
    names = [x509.UniformResourceIdentifier(uri), x509.DNSName("127.0.0.1")]
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([use]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pair.with_name(f"{pair.name}.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    pair.with_name(f"{pair.name}.key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate.public_bytes(serialization.Encoding.DER)
