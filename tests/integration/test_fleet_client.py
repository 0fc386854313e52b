"""The Fleet client against a real HTTP server on a loopback socket, one that behaves as scripted."""

import asyncio
import gzip
import json
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest

from fleet_client.client import FleetClient
from fleet_client.errors import EdgeUnknown, FleetBadAnswer, FleetError, FleetRefused, FleetUnreachable
from fleet_client.fetched import Fetched, NotModified
from fleet_client.json_text import MAX_BODY_BYTES
from tests.doubles.clock import FakeClock
from tests.doubles.fleet_server import FleetServer, Reply

V1 = "/api/fleet/v1/edges/spifox-001/config"
ALIAS = "/api/fleet/edge/spifox-001/config"
OTHER_V1 = "/api/fleet/v1/edges/edge-spifox-001/config"
OTHER_ALIAS = "/api/fleet/edge/edge-spifox-001/config"
BODY = json.dumps({"version": "v1", "devices": [{"id": "1"}]}).encode()
EMPTY = json.dumps({"version": "v0", "devices": []}).encode()


@pytest.fixture
async def fleet() -> AsyncIterator[FleetServer]:
    async with FleetServer() as server:
        yield server


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def client(fleet: FleetServer, clock: FakeClock) -> AsyncIterator[FleetClient]:
    async with FleetClient(fleet.url, "spifox-001", monotonic=clock.monotonic, deadline_s=20) as client:
        yield client


async def test_a_document_comes_as_it_was_sent(fleet: FleetServer, client: FleetClient) -> None:
    date = "Fri, 17 Apr 2026 07:25:26 GMT"
    fleet.replies[V1] = Reply(body=BODY, etag='W/"odd, but so"', headers={"Date": date})
    assert await client.fetch(None) == Fetched(
        body=BODY,
        body_sha256=sha256(BODY).hexdigest(),
        etag='W/"odd, but so"',
        edge_id="spifox-001",
        path=V1,
        server_date=datetime(2026, 4, 17, 7, 25, 26, tzinfo=UTC),
    )
    assert "if-none-match" not in fleet.seen[0].headers
    assert "authorization" not in fleet.seen[0].headers


@pytest.mark.parametrize("etag", ['"v1"', 'W/"weak"', "unquoted", '"é"'])
async def test_the_etag_goes_back_as_it_came(fleet: FleetServer, client: FleetClient, etag: str) -> None:
    fleet.replies[V1] = Reply(body=BODY, etag=etag, headers={"Date": "Fri, 17 Apr 2026 07:25:26 GMT"})
    first = await client.fetch(None)
    assert isinstance(first, Fetched)
    assert await client.fetch(first.etag) == NotModified(datetime(2026, 4, 17, 7, 25, 26, tzinfo=UTC))
    assert fleet.seen[1].headers["if-none-match"] == etag


async def test_without_an_etag_the_version_in_quotes_is_taken(fleet: FleetServer, client: FleetClient) -> None:
    fleet.replies[V1] = Reply(body=BODY, headers={"Date": "yesterday"})
    answer = await client.fetch('"v1"')
    assert isinstance(answer, Fetched)
    assert (answer.etag, answer.server_date) == (None, None)
    assert fleet.seen[0].headers["if-none-match"] == '"v1"'


@pytest.mark.parametrize("etag", ['"버전"', '"a\r\nX-Evil: 1"'])
async def test_what_no_header_can_carry_is_not_sent(fleet: FleetServer, client: FleetClient, etag: str) -> None:
    fleet.replies[V1] = Reply(body=BODY)
    assert isinstance(await client.fetch(etag), Fetched)
    assert not {"if-none-match", "x-evil"} & fleet.seen[0].headers.keys()


async def test_a_304_that_nobody_asked_for_is_no_answer(fleet: FleetServer, client: FleetClient) -> None:
    fleet.replies[V1] = Reply(304)
    with pytest.raises(FleetBadAnswer, match="304"):
        await client.fetch(None)


async def test_the_alias_is_kept_once_it_answered(fleet: FleetServer, client: FleetClient) -> None:
    fleet.replies[ALIAS] = Reply(body=BODY, etag='"v1"')
    first = await client.fetch(None)
    assert isinstance(first, Fetched)
    assert first.path == ALIAS
    assert isinstance(await client.fetch('"v1"'), NotModified)
    assert fleet.paths == [V1, ALIAS, ALIAS]


async def test_the_alias_is_tried_at_most_every_five_minutes(fleet: FleetServer, clock: FakeClock) -> None:
    async with FleetClient(fleet.url, "spifox-001", fixed_id=True, monotonic=clock.monotonic) as client:
        for pause_s in (30, 269, 1, 30):
            with pytest.raises(EdgeUnknown, match="knows no edge spifox-001"):
                await client.fetch(None)
            clock.advance(pause_s)
    assert fleet.paths == [V1, ALIAS, V1, V1, V1, ALIAS]


async def test_an_unknown_edge_may_be_known_by_its_other_spelling(fleet: FleetServer, client: FleetClient) -> None:
    fleet.replies[OTHER_V1] = Reply(body=BODY, etag='"v1"')
    answer = await client.fetch('"ours"')
    assert isinstance(answer, Fetched)
    assert (answer.edge_id, answer.path, client.edge_id) == ("edge-spifox-001", OTHER_V1, "edge-spifox-001")
    assert "if-none-match" not in fleet.seen[-1].headers
    assert isinstance(await client.fetch('"v1"'), NotModified)
    assert fleet.paths == [V1, ALIAS, OTHER_V1, OTHER_V1]


async def test_the_other_spelling_is_found_under_the_alias_too(fleet: FleetServer, client: FleetClient) -> None:
    fleet.replies[OTHER_ALIAS] = Reply(body=BODY)
    answer = await client.fetch(None)
    assert isinstance(answer, Fetched)
    assert answer.path == OTHER_ALIAS


async def test_no_devices_under_ours_but_some_under_the_other(fleet: FleetServer, client: FleetClient) -> None:
    fleet.replies |= {V1: Reply(body=EMPTY), OTHER_V1: Reply(body=BODY)}
    answer = await client.fetch(None)
    assert isinstance(answer, Fetched)
    assert (answer.edge_id, answer.body) == ("edge-spifox-001", BODY)


@pytest.mark.parametrize("theirs", [Reply(404), Reply(body=EMPTY), Reply(body=b"<html>")])
async def test_the_other_spelling_is_asked_once(fleet: FleetServer, client: FleetClient, theirs: Reply) -> None:
    fleet.replies |= {V1: Reply(body=EMPTY), OTHER_V1: theirs}
    for _ in range(3):
        answer = await client.fetch(None)
        assert isinstance(answer, Fetched)
        assert (answer.edge_id, answer.body) == ("spifox-001", EMPTY)
    assert fleet.paths.count(OTHER_V1) == 1
    assert client.edge_id == "spifox-001"


async def test_a_failure_to_ask_does_not_count_as_asked(fleet: FleetServer, client: FleetClient) -> None:
    fleet.replies |= {V1: Reply(body=EMPTY), OTHER_V1: Reply(503)}
    answer = await client.fetch(None)
    assert isinstance(answer, Fetched)
    assert answer.body == EMPTY
    fleet.replies[OTHER_V1] = Reply(body=BODY)
    answer = await client.fetch(None)
    assert isinstance(answer, Fetched)
    assert answer.edge_id == "edge-spifox-001"


async def test_a_list_that_was_emptied_is_obeyed(fleet: FleetServer, client: FleetClient) -> None:
    fleet.replies |= {V1: Reply(body=BODY), OTHER_V1: Reply(body=BODY)}
    await client.fetch(None)
    fleet.replies[V1] = Reply(body=EMPTY)
    answer = await client.fetch(None)
    assert isinstance(answer, Fetched)
    assert answer.body == EMPTY
    assert OTHER_V1 not in fleet.paths


async def test_a_fixed_id_has_no_other_spelling(fleet: FleetServer, clock: FakeClock) -> None:
    fleet.replies |= {V1: Reply(body=EMPTY), OTHER_V1: Reply(body=BODY)}
    async with FleetClient(fleet.url, "spifox-001", fixed_id=True, monotonic=clock.monotonic) as client:
        answer = await client.fetch(None)
    assert isinstance(answer, Fetched)
    assert (answer.body, fleet.paths) == (EMPTY, [V1])


async def test_a_base_url_may_have_a_path_and_a_slash(fleet: FleetServer) -> None:
    fleet.replies["/plant-7" + V1] = Reply(body=BODY)
    async with FleetClient(fleet.url + "/plant-7/", "spifox-001") as client:
        assert isinstance(await client.fetch(None), Fetched)


async def test_s3_the_token_goes_along_and_replaces_a_user(fleet: FleetServer) -> None:
    fleet.replies[V1] = Reply(body=BODY)
    url = fleet.url.replace("://", "://user:hidden@")
    async with FleetClient(url, "spifox-001", token="canary") as client:
        await client.fetch(None)
    assert fleet.seen[0].headers["authorization"] == "Bearer canary"


@pytest.mark.parametrize("status", [401, 403])
async def test_refused(fleet: FleetServer, status: int) -> None:
    fleet.replies[V1] = Reply(status)
    async with FleetClient(fleet.url, "spifox-001", token="canary") as client:
        with pytest.raises(FleetRefused, match="EDGE_API_TOKEN") as refused:
            await client.fetch(None)
    assert refused.value.status == status
    assert "canary" not in str(refused.value)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_s3_a_redirect_is_not_followed(fleet: FleetServer, client: FleetClient, status: int) -> None:
    fleet.replies[V1] = Reply(status, headers={"Location": f"{fleet.url}/login?token=canary"})
    with pytest.raises(FleetBadAnswer, match=r"redirects to http://127\.0\.0\.1:\d+/login ") as bad:
        await client.fetch(None)
    assert bad.value.status == status
    assert fleet.paths == [V1]


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (Reply(500), "HTTP 500"),
        (Reply(204), "HTTP 204"),
        (Reply(body=b"<html>", headers={"Content-Type": "text/html; charset=utf-8"}), "web page"),
        (Reply(body=b"x", headers={"Content-Encoding": "br"}), "encoding 'br'"),
        (Reply(body=b"no gzip", headers={"Content-Encoding": "gzip"}), "damaged gzip"),
        (Reply(body=gzip.compress(BODY)[:-9], headers={"Content-Encoding": "gzip"}), "damaged gzip"),
        (Reply(body=b" " * (MAX_BODY_BYTES + 1)), "more than 33,554,432 bytes"),
    ],
)
async def test_bad_answers(fleet: FleetServer, client: FleetClient, reply: Reply, says: str) -> None:
    fleet.replies[V1] = reply
    with pytest.raises(FleetBadAnswer, match=says):
        await client.fetch(None)


async def test_gzip_is_welcome(fleet: FleetServer, client: FleetClient) -> None:
    packed = gzip.compress(BODY[:10]) + gzip.compress(BODY[10:])
    fleet.replies[V1] = Reply(body=packed, headers={"Content-Encoding": "GZip"})
    answer = await client.fetch(None)
    assert isinstance(answer, Fetched)
    assert (answer.body, fleet.seen[0].headers["accept-encoding"]) == (BODY, "gzip")


async def test_s23_a_gzip_bomb_is_not_unpacked(fleet: FleetServer, client: FleetClient) -> None:
    bomb = gzip.compress(b" " * (3 * MAX_BODY_BYTES), 1)
    fleet.replies[V1] = Reply(body=bomb, headers={"Content-Encoding": "gzip"})
    with pytest.raises(FleetBadAnswer, match="more than 33,554,432 bytes"):
        await client.fetch(None)


async def test_s23_a_slow_drip_ends_at_the_deadline(fleet: FleetServer) -> None:
    fleet.replies[V1] = Reply(body=BODY, pause_s=0.05)
    loop = asyncio.get_running_loop()
    async with FleetClient(fleet.url, "spifox-001", deadline_s=0.3) as client:
        started = loop.time()
        with pytest.raises(FleetBadAnswer, match=r"no complete answer within 0\.3 s"):
            await client.fetch(None)
    assert loop.time() - started < 2


async def test_a_connection_closed_in_the_middle(fleet: FleetServer, client: FleetClient) -> None:
    fleet.replies[V1] = Reply(body=BODY, sent=10)
    with pytest.raises(FleetUnreachable, match="without sending complete message body"):
        await client.fetch(None)
    fleet.replies[V1] = Reply(body=BODY)
    assert isinstance(await client.fetch(None), Fetched)


async def test_nobody_listens() -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        url = f"http://user:canary@127.0.0.1:{reserved.getsockname()[1]}"
        async with FleetClient(url, "spifox-001") as client:
            with pytest.raises(FleetUnreachable, match=r"127\.0\.0\.1:\d+: Connection refused") as away:
                await client.fetch(None)
    assert "canary" not in str(away.value)


async def test_s3_proxies_of_the_environment_only_when_trusted(
    fleet: FleetServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTP_PROXY", fleet.url)
    monkeypatch.setenv("http_proxy", fleet.url)
    fleet.replies[V1] = Reply(body=BODY)
    absolute = "http://127.0.0.1:1" + V1
    fleet.replies[absolute] = Reply(body=BODY)
    async with FleetClient(fleet.url, "spifox-001") as direct:
        await direct.fetch(None)
    async with FleetClient("http://127.0.0.1:1", "spifox-001", trust_env=True) as proxied:
        await proxied.fetch(None)
    assert fleet.paths == [V1, absolute]


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for 127.0.0.1 that is its own CA, with its key in the same file."""
    pem = tmp_path / "server.pem"
    key = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2"
    name = "-subj /CN=pipeline -addext subjectAltName=IP:127.0.0.1"
    files = ["-keyout", str(pem), "-out", str(pem)]
    subprocess.run(["openssl", *key.split(), *name.split(), *files], check=True, capture_output=True)
    return pem


async def test_s3_only_a_certificate_of_a_trusted_ca_will_do(certificate: Path) -> None:
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate)
    async with FleetServer(tls) as fleet:
        fleet.replies[V1] = Reply(body=BODY)
        async with FleetClient(fleet.url, "spifox-001", token="canary") as client:
            with pytest.raises(FleetUnreachable, match="certificate verify failed: self-signed certificate"):
                await client.fetch(None)
        assert fleet.seen == []
        async with FleetClient(fleet.url, "spifox-001", ca_file=certificate) as client:
            assert isinstance(await client.fetch(None), Fetched)


async def test_a_ca_file_that_is_none(tmp_path: Path) -> None:
    ca_file = tmp_path / "ca.pem"
    async with FleetClient("https://127.0.0.1:1", "spifox-001", ca_file=ca_file) as client:
        with pytest.raises(FleetUnreachable, match=r"ca\.pem can not be used: No such file"):
            await client.fetch(None)
        ca_file.write_text("no certificate")
        with pytest.raises(FleetUnreachable, match=r"ca\.pem can not be used"):
            await client.fetch(None)


@pytest.mark.parametrize("url", ["", "pipeline:8080", "ftp://pipeline", "http://", "http://[::1"])
def test_a_base_url_that_is_none(url: str) -> None:
    with pytest.raises(ValueError, match="expected http://"):
        FleetClient(url, "spifox-001")


def test_a_token_that_no_header_can_carry_is_not_shown() -> None:
    with pytest.raises(ValueError, match="no HTTP header can carry") as wrong:
        FleetClient("http://pipeline", "spifox-001", token="canary\nX: 1")
    assert "canary" not in str(wrong.value)


def test_an_edge_id_that_is_none() -> None:
    with pytest.raises(ValueError, match="no edge id"):
        FleetClient("http://pipeline", "a/#")


async def test_cancelling_a_fetch_leaves_a_client_that_works(fleet: FleetServer, client: FleetClient) -> None:
    fleet.replies[V1] = Reply(body=BODY, pause_s=0.05)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await client.fetch(None)
    fleet.replies[V1] = Reply(body=BODY)
    assert isinstance(await client.fetch(None), Fetched)


def test_every_error_is_a_fleet_error() -> None:
    assert all(issubclass(kind, FleetError) for kind in (EdgeUnknown, FleetBadAnswer, FleetRefused, FleetUnreachable))
