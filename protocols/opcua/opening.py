"""Opens sessions: dial, secure channel, session, log-in, and what the server says of its limits."""

import asyncio
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asyncua import Client, ua
from asyncua.crypto import security_policies
from asyncua.ua.uaerrors import UaError
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding

from protocols.errors import BadAnswer, ConnectFailed, ProtocolError
from protocols.opcua.certificates import Identity, judge_server, needed, own_identity, user_identity
from protocols.opcua.connection import OpcUaConnection, SecurityPolicy
from protocols.opcua.limits import ask_limits
from protocols.opcua.session import OpcUaSession
from protocols.opcua.wire import Undecodable, Wire, connect_failed

# Short, so that a small server, which has room for few, is soon rid of what a broken connection left behind.
SESSION_TIMEOUT_MS = 60_000
CHANNEL_LIFETIME_MS = 600_000

_POLICIES: dict[SecurityPolicy, type[Any]] = {
    SecurityPolicy.BASIC256SHA256: security_policies.SecurityPolicyBasic256Sha256,
    SecurityPolicy.AES128_SHA256_RSA_OAEP: security_policies.SecurityPolicyAes128Sha256RsaOaep,
    SecurityPolicy.AES256_SHA256_RSA_PSS: security_policies.SecurityPolicyAes256Sha256RsaPss,
}


@dataclass(frozen=True, slots=True)
class _Identities:
    application: Identity | None
    user: Identity | None


async def open_session(connection: OpcUaConnection, folder: Path | None) -> OpcUaSession:
    """A session within `connection.timeout_s`; making our certificate, once, does not count.

    Raises `ConnectFailed`. Safe to cancel.
    """
    identities = await asyncio.to_thread(_identities, connection, folder)
    try:
        async with asyncio.timeout(connection.timeout_s):
            return await _open(connection, folder, identities)
    except TimeoutError:
        message = f"{connection.where} did not open a session within {connection.timeout_s:g} s"
        raise ConnectFailed(message) from None
    except ConnectFailed:
        raise
    except (ProtocolError, Undecodable, UaError, OSError, ValueError) as error:
        raise connect_failed(connection.where, error) from None


def _identities(connection: OpcUaConnection, folder: Path | None) -> _Identities:
    return _Identities(
        application=None if connection.insecure else own_identity(needed(folder, connection)),
        user=None
        if connection.user_certificate is None
        else user_identity(needed(folder, connection), connection.user_certificate),
    )


async def _open(connection: OpcUaConnection, folder: Path | None, identities: _Identities) -> OpcUaSession:
    application = identities.application
    server_certificate = None if application is None else await _trusted_certificate(connection, folder)
    wire = Wire(connection.host, connection.port, connection.where)
    client = _client(connection, wire, folder, identities)
    if application is not None and server_certificate is not None:
        client.security_policy = _POLICIES[connection.policy](
            server_certificate, application.certificate, application.key, _mode(connection)
        )
        client.application_uri = application.uri
        wire.set_security(client.security_policy)
    try:
        with wire.own_errors("a new session"):
            await _open_channel(client, wire)
            await _log_in(client, connection, identities)
        limits = await ask_limits(wire)
        return OpcUaSession(client, wire, limits, connection.where)
    except BaseException as error:
        if isinstance(error, Exception):
            await wire.take_leave()
        wire.end(BadAnswer(f"{connection.where} was given up"))
        raise


async def _open_channel(client: Client, wire: Wire) -> None:
    await client.connect_socket()
    await client.send_hello()
    await client.open_secure_channel()
    if wire.over:
        raise wire.over


async def _log_in(client: Client, connection: OpcUaConnection, identities: _Identities) -> None:
    await client.create_session()
    if connection.pinned_sha256 is not None and client.security_policy.peer_certificate is None:
        raise ConnectFailed(f"{connection.where} shows no certificate, but connection.server_certificate_sha256 is set")
    certificate = identities.user.certificate if identities.user else None
    await client.activate_session(connection.username, connection.password, certificate)


def _client(connection: OpcUaConnection, wire: Wire, folder: Path | None, identities: _Identities) -> Client:
    client = Client(connection.url)
    client.uaclient = wire
    client.name = client.description = "edge-collector"
    client.product_uri = "urn:edge-collector"
    client.application_uri = f"urn:{socket.gethostname()}:edge-collector"
    client.session_timeout = SESSION_TIMEOUT_MS
    client.secure_channel_timeout = CHANNEL_LIFETIME_MS
    client.user_private_key = identities.user.key if identities.user else None
    relied_on = not connection.insecure or connection.pinned_sha256 or connection.username or identities.user

    async def validate(certificate: x509.Certificate, _server: ua.ApplicationDescription) -> None:
        """Without security nobody relies on the certificate, unless a password is encrypted with it."""
        if relied_on:
            der = certificate.public_bytes(Encoding.DER)
            await asyncio.to_thread(judge_server, der, connection, folder)

    client.certificate_validator = validate
    return client


async def _trusted_certificate(connection: OpcUaConnection, folder: Path | None) -> x509.Certificate:
    """The certificate of the endpoint that is meant, passed as one to trust before anything is secured with it."""
    wire = Wire(connection.host, connection.port, connection.where)
    client = Client(connection.url)
    client.uaclient = wire
    try:
        with wire.own_errors("its endpoints"):
            await _open_channel(client, wire)
            endpoints = await client.get_endpoints()
    finally:
        wire.end(BadAnswer(f"{connection.where} was asked for its endpoints only"))
        await wire.gone()
    endpoint = _choose(endpoints, connection)
    certificate = _read_certificate(endpoint.ServerCertificate or b"", connection)
    await asyncio.to_thread(judge_server, certificate.public_bytes(Encoding.DER), connection, folder)
    return certificate


def _choose(endpoints: list[ua.EndpointDescription], connection: OpcUaConnection) -> ua.EndpointDescription:
    uri, mode = _POLICIES[connection.policy].URI, _mode(connection)
    offered = []
    for endpoint in endpoints:
        if not (endpoint.EndpointUrl or "").startswith(ua.OPC_TCP_SCHEME):
            continue
        if endpoint.SecurityPolicyUri == uri and endpoint.SecurityMode == mode:
            return endpoint
        offered.append(f"{(endpoint.SecurityPolicyUri or '').rpartition('#')[2]} {_mode_name(endpoint.SecurityMode)}")
    listed = ", ".join(dict.fromkeys(offered)) or "nothing"
    raise ConnectFailed(
        f"{connection.where} does not offer {connection.policy} {connection.mode}: switch it on in the server, or "
        f"choose what it offers: {listed}"
    )


def _mode(connection: OpcUaConnection) -> ua.MessageSecurityMode:
    return ua.MessageSecurityMode[connection.mode.replace("None", "None_")]


def _mode_name(mode: ua.MessageSecurityMode) -> str:
    return mode.name.rstrip("_")


def _read_certificate(chain: bytes, connection: OpcUaConnection) -> x509.Certificate:
    try:
        certificate = x509.load_der_x509_certificate(_first_of_chain(chain))
        certificate.public_key()
    except (ValueError, x509.InvalidVersion, UnsupportedAlgorithm) as error:
        shown = f"a certificate that can not be read ({error})" if chain else "no certificate"
        raise ConnectFailed(f"{connection.where} shows {shown}, which {connection.policy} needs") from None
    return certificate


def _first_of_chain(chain: bytes) -> bytes:
    """A server may send its issuers' certificates behind its own; DER tells its own length."""
    if len(chain) < 4 or chain[:2] != b"\x30\x82":
        return chain
    return chain[: int.from_bytes(chain[2:4], "big") + 4]
