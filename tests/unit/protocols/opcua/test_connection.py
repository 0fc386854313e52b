import pytest

from protocols.errors import Refused
from protocols.opcua.connection import OpcUaConnection, SecurityMode, SecurityPolicy, read_connection

SECRET = "pw-canary-9b1d"
PIN = "ab" * 32


def read(**fields: object) -> OpcUaConnection:
    return read_connection({"host": "10.0.0.5"} | fields, 3)


@pytest.mark.parametrize(
    ("fields", "url"),
    [
        ({"host": "10.0.0.5"}, "opc.tcp://10.0.0.5:4840"),
        ({"ip": "PLC-1", "port": "48010", "path": "UA/Server/"}, "opc.tcp://plc-1:48010/UA/Server"),
        ({"endpoint": "opc.tcp://10.0.0.5:49320"}, "opc.tcp://10.0.0.5:49320"),
        ({"endpoint_url": " opc.tcp://plc/press "}, "opc.tcp://plc:4840/press"),
        ({"url": "opc.tcp://[fe80::1]:4841/"}, "opc.tcp://[fe80::1]:4841"),
        ({"endpoint": "", "host": "a"}, "opc.tcp://a:4840"),
    ],
)
def test_where_a_server_is(fields: dict[str, object], url: str) -> None:
    connection = read_connection(fields, 3)
    assert connection.url == url
    assert f"opc.tcp://{connection.where}" == url


@pytest.mark.parametrize(
    ("written", "policy"),
    [
        ("None", SecurityPolicy.NONE),
        ("basic256sha256", SecurityPolicy.BASIC256SHA256),
        ("Aes128_Sha256_RsaOaep", SecurityPolicy.AES128_SHA256_RSA_OAEP),
        ("http://opcfoundation.org/UA/SecurityPolicy#Aes256_Sha256_RsaPss", SecurityPolicy.AES256_SHA256_RSA_PSS),
    ],
)
def test_policies_by_their_names(written: str, policy: SecurityPolicy) -> None:
    connection = read(security_policy=written)
    assert connection.policy is policy
    assert connection.insecure == (policy is SecurityPolicy.NONE)
    expected = SecurityMode.NONE if policy is SecurityPolicy.NONE else SecurityMode.SIGN_AND_ENCRYPT
    assert connection.mode is expected


def test_defaults() -> None:
    connection = read()
    assert connection.insecure
    assert connection.publishing_interval_ms == 500
    assert connection.pinned_sha256 is None
    assert read(security_policy="Basic256Sha256", security_mode="sign").mode is SecurityMode.SIGN
    assert read(server_certificate_sha256=":".join(["AB"] * 32), trust="first_use").pinned_sha256 == PIN


@pytest.mark.parametrize(
    ("fields", "field", "message"),
    [
        ({"security_policy": "Basic128Rsa15"}, "security_policy", "deprecated.*expected None, Basic256Sha256"),
        ({"security_policy": "Basic256"}, "security_policy", "deprecated"),
        ({"security_policy": "TLS"}, "security_policy", "expected None, Basic256Sha256"),
        ({"security_policy": "Basic256Sha256", "security_mode": "None"}, "security_mode", "expected Sign or Sign"),
        ({"security_mode": "Sign"}, "security_mode", "security_policy is None; expected None"),
        ({"security_mode": "Loud"}, "security_mode", "expected None, Sign, SignAndEncrypt"),
        ({"server_certificate_sha256": "abc"}, "server_certificate_sha256", "64 hexadecimal digits"),
        ({"trust": "everybody"}, "trust", "expected first_use"),
        ({"user_certificate": "../../etc/key"}, "user_certificate", "no path"),
        ({"user_certificate": "a", "username": "b"}, "user_certificate", "one way to log in"),
        ({"password": [SECRET], "username": "a"}, "password", "no text"),
        ({"endpoint": f"opc.tcp://me:{SECRET}@plc"}, "endpoint", "has a user in it"),
        ({"endpoint": f"http://me:{SECRET}@plc"}, "endpoint", r"expected opc\.tcp://host:port/path"),
        ({"endpoint": "opc.tcp://plc:99999"}, "endpoint", "can not be read"),
        ({"endpoint": 5}, "endpoint", "can not be read"),
        ({"publishing_interval_ms": 1}, "publishing_interval_ms", "from 10 to 60000"),
    ],
)
def test_s15_what_can_not_be_used_is_refused_unquoted(fields: dict[str, object], field: str, message: str) -> None:
    with pytest.raises(Refused, match=message) as caught:
        read(**fields)
    assert caught.value.field == field
    assert SECRET not in str(caught.value)


def test_a_session_is_shared_only_by_equals_and_no_secret_is_shown() -> None:
    connection = read(username="operator", password=SECRET)
    assert connection == read(username="operator", password=SECRET)
    assert connection.link == read(username="operator", password=SECRET, publishing_interval_ms=100).link
    others = [read(), read(username="operator", password="x"), read(port=1), read(server_certificate_sha256=PIN)]
    assert connection.link not in [other.link for other in others]
    assert SECRET not in f"{connection!r} {connection} {connection.link} {connection.where}"


def test_a_password_of_digits_is_a_password() -> None:
    assert read(username="operator", password=1234).password == "1234"


def test_a_password_without_a_user_is_said_and_not_shown() -> None:
    connection = read(password=SECRET)
    assert connection.password is None
    assert connection.remark is not None
    assert "connection.username" in connection.remark
    assert SECRET not in connection.remark
    assert read(username="u", password=SECRET).remark is None
