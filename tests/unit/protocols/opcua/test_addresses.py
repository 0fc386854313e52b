import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import Refused
from protocols.opcua.addresses import NodeAddress, parse_address


@pytest.mark.parametrize(
    ("text", "namespace", "identifier"),
    [
        ("ns=2;s=Line1.Temperature", 2, "Line1.Temperature"),
        ("ns=3;i=1001", 3, 1001),
        ("i=2258", 0, 2258),
        ("s=plain", 0, "plain"),
        (' ns=4;s="DB_1"."속도 [1]";x=1', 4, '"DB_1"."속도 [1]";x=1'),
        (
            "ns=2;g=09087E75-8E5E-499B-954F-F2A9603DB28A",
            2,
            uuid.UUID("09087e75-8e5e-499b-954f-f2a9603db28a"),
        ),
        ("ns=2;b=AAEC/w==", 2, b"\0\1\2\xff"),
        ("nsu=http://plant/line;s=x", "http://plant/line", "x"),
        ("nsu=urn:a%3Bb%25;i=7", "urn:a;b%", 7),
        ("ns=65535;i=4294967295", 65535, 4294967295),
    ],
)
def test_every_kind_is_understood(text: str, namespace: int | str, identifier: object) -> None:
    address = parse_address(text)
    assert (address.namespace, address.identifier) == (namespace, identifier)
    assert parse_address(str(address)) == address


@pytest.mark.parametrize(
    "text",
    ["40001", "", "ns=2", "ns=2;x=1", "ns=x;i=1", "ns=65536;i=1", "i=4294967296", "i=-1", "i=٣", "g=1234", "b=a", "s="],
)
def test_what_is_none_is_refused_on_its_address(text: str) -> None:
    with pytest.raises(Refused) as caught:
        parse_address(text)
    assert caught.value.field == "address"


_identifiers = st.one_of(
    st.integers(0, 2**32 - 1),
    st.text(min_size=1).filter(lambda text: text == text.strip()),
    st.uuids(),
    st.binary(min_size=1),
)
_uris = st.text(min_size=1).filter(lambda text: text == text.strip())


@given(st.one_of(st.integers(0, 65535), _uris), _identifiers)
def test_what_is_written_is_read_back(namespace: int | str, identifier: int | str | uuid.UUID | bytes) -> None:
    address = NodeAddress(namespace, identifier)
    assert parse_address(str(address)) == address
