"""The simulated Fleet server before httpx and a real broker."""

import asyncio
from collections.abc import AsyncIterator, Callable
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx
import orjson
import pytest

from simulators.edge import MadeUpEdge
from simulators.fleet import FleetServer
from simulators.mqtt import MqttListener
from tests.doubles.mosquitto import Mosquitto

EDGE = "edge-test-001"
CONFIG = f"/api/fleet/v1/edges/{EDGE}/config"
ALIAS = f"/api/fleet/edge/{EDGE}/config"
DOCUMENT = {"version": "1", "edge_id": EDGE, "edge_name": "스피폭스 엣지 #1", "devices": [{"id": "1"}]}


@pytest.fixture
async def fleet() -> AsyncIterator[FleetServer]:
    async with FleetServer(document=DOCUMENT) as running:
        yield running


@pytest.fixture
async def http(fleet: FleetServer) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=fleet.url, timeout=5, trust_env=False) as client:
        yield client


async def test_both_paths_serve_the_document_with_its_etag(http: httpx.AsyncClient) -> None:
    one, other = await http.get(CONFIG), await http.get(ALIAS)
    assert one.status_code == other.status_code == 200
    assert one.json() == other.json() == DOCUMENT
    assert one.headers["etag"] == other.headers["etag"]
    assert parsedate_to_datetime(one.headers["date"]).tzinfo is not None


async def test_an_unchanged_document_is_304_and_an_edited_one_comes_anew(
    fleet: FleetServer, http: httpx.AsyncClient
) -> None:
    etag = (await http.get(CONFIG)).headers["etag"]
    for condition in (etag, f"W/{etag}", f'"other", {etag}'):
        unchanged = await http.get(CONFIG, headers={"If-None-Match": condition})
        assert (unchanged.status_code, unchanged.content) == (304, b"")
        assert unchanged.headers["etag"] == etag
    fleet.edit(lambda document: document.update(devices=[]))
    changed = await http.get(CONFIG, headers={"If-None-Match": etag})
    assert (changed.status_code, changed.json()["devices"]) == (200, [])
    assert (fleet.record.config_requests, fleet.record.not_modified) == (5, 3)
    assert fleet.record.seen[-1].headers["if-none-match"] == etag


async def test_an_unknown_edge_is_404(http: httpx.AsyncClient) -> None:
    answer = await http.get("/api/fleet/v1/edges/edge-nobody/config")
    assert answer.status_code == 404
    assert "registers with its first heartbeat" in answer.json()["error"]
    assert (await http.get("/elsewhere")).status_code == 404
    assert (await http.delete(CONFIG)).status_code == 405


async def test_a_document_can_be_put(fleet: FleetServer, http: httpx.AsyncClient) -> None:
    new = {"version": "2", "devices": []}
    assert (await http.put("/api/fleet/v1/edges/edge-new/config", json=new)).status_code == 200
    assert (await http.get("/api/fleet/v1/edges/edge-new/config")).json() == {**new, "edge_id": "edge-new"}
    for bad in (b"{", b"[]", orjson.dumps({"edge_id": "edge-other"})):
        refused = await http.put("/api/fleet/v1/edges/edge-new/config", content=bad)
        assert refused.status_code == 400
        assert refused.json()["error"]
    assert fleet.documents.own["edge-new"]["version"] == "2"


async def test_a_watched_file_is_served(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_text(orjson.dumps(DOCUMENT).decode())
    async with FleetServer(document_file=file) as fleet, httpx.AsyncClient(base_url=fleet.url) as http:
        assert (await http.get(CONFIG)).json() == DOCUMENT
        file.write_text(orjson.dumps({**DOCUMENT, "version": "a longer one"}).decode())
        assert (await http.get(CONFIG)).json()["version"] == "a longer one"


async def test_http_faults(fleet: FleetServer, http: httpx.AsyncClient) -> None:
    fleet.faults.status = 503
    assert (await http.get(CONFIG)).status_code == 503
    assert (await http.get("/api/fleet/v1/edges")).status_code == 200
    fleet.faults.clear()
    fleet.faults.redirect = "http://127.0.0.1:1/"
    redirected = await http.get(CONFIG)
    assert (redirected.status_code, redirected.headers["location"]) == (302, "http://127.0.0.1:1/")
    fleet.faults.clear()
    fleet.faults.html = True
    assert (await http.get(CONFIG)).text.startswith("<!doctype html>")
    fleet.faults.clear()
    fleet.faults.no_etag = True
    assert "etag" not in (await http.get(CONFIG)).headers
    fleet.faults.clear()
    fleet.faults.not_modified = True
    assert (await http.get(CONFIG)).status_code == 304
    fleet.faults.clear()
    fleet.faults.body = "garbage"
    assert (await http.get(CONFIG)).text == "garbage"
    fleet.faults.clear()
    assert (await http.get(CONFIG)).json() == DOCUMENT


async def test_http_faults_of_a_broken_transfer(fleet: FleetServer, http: httpx.AsyncClient) -> None:
    whole = (await http.get(CONFIG)).content
    fleet.faults.half_json = True
    assert (await http.get(CONFIG)).content == whole[: len(whole) // 2]
    fleet.faults.clear()
    fleet.faults.cut_off = True
    with pytest.raises(httpx.RemoteProtocolError):
        await http.get(CONFIG)
    fleet.faults.clear()
    fleet.faults.hang = True
    with pytest.raises(httpx.ReadTimeout):
        await http.get(CONFIG, timeout=0.1)
    fleet.faults.clear()
    fleet.faults.drip_s = 0.0005
    assert (await http.get(CONFIG)).content == whole


async def test_a_server_whose_clock_is_off(fleet: FleetServer, http: httpx.AsyncClient) -> None:
    right = parsedate_to_datetime((await http.get(CONFIG)).headers["date"])
    fleet.faults.clock_off_s = 3600
    ahead = parsedate_to_datetime((await http.get(CONFIG)).headers["date"])
    assert 3590 < (ahead - right).total_seconds() < 3610


async def test_down_and_up_again_on_the_same_port(fleet: FleetServer, http: httpx.AsyncClient) -> None:
    fleet.faults.down = True
    with pytest.raises(httpx.ConnectError):
        await http.get(CONFIG)
    fleet.faults.down = False
    assert (await http.get(CONFIG)).status_code == 200


@pytest.mark.parametrize(
    ("request_bytes", "says"),
    [
        (b"hello\r\n\r\n", b"expected 'METHOD /path HTTP/1.1'"),
        (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", b"expected 'Name: value'"),
        (b"PUT / HTTP/1.1\r\nContent-Length: x\r\n\r\n", b"Content-Length 'x'"),
        (b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", b"send a Content-Length"),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 70_000 + b"\r\n\r\n", b"head is over"),
    ],
)
async def test_what_is_no_request_is_400_and_the_end(fleet: FleetServer, request_bytes: bytes, says: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", fleet.port)
    writer.write(request_bytes)
    status = await asyncio.wait_for(reader.readline(), 5)
    assert status == b"HTTP/1.1 400 Bad Request\r\n"
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
    assert b"Connection: close" in head
    assert says in await asyncio.wait_for(reader.readline(), 5)
    writer.close()


async def test_the_servers_own_local_test() -> None:
    """A heartbeat registers an edge, its config can be had, and a data message shows as its latest values."""
    async with (
        Mosquitto() as broker,
        FleetServer(broker_url=broker.url) as fleet,
        httpx.AsyncClient(base_url=fleet.url) as http,
        MqttListener(broker.url, _deaf) as edge,
    ):
        assert (await http.get(CONFIG)).status_code == 404

        heartbeat = {"cpu_percent": 12.5, "status": "online", "ip_address": "10.0.0.7"}
        edge.publish(f"vexplor/devices/{EDGE}/status", orjson.dumps(heartbeat))
        await _until(lambda: EDGE in fleet.store.edges)
        assert (await http.get(CONFIG)).json()["devices"] == []
        [listed] = (await http.get("/api/fleet/v1/edges")).json()
        assert (listed["edge_id"], listed["status"]) == (EDGE, "online")
        assert listed["last_heartbeat"]["payload"] == heartbeat

        for second, value in ((5, 25.4), (4, 11.0), (5, 25.4)):
            message = {
                "timestamp": f"2026-04-17T08:00:0{second}.000Z",
                "equipment_id": 4,
                "connection_id": 1,
                "tags": {"온도": value},
            }
            edge.publish(f"vexplor/devices/{EDGE}/data", orjson.dumps(message))
        await _until(lambda: fleet.store.messages == 4)
        assert (await http.get(f"/api/fleet/v1/edges/{EDGE}/latest")).json() == {
            "온도": {
                "value": 25.4,
                "timestamp": "2026-04-17T08:00:05.000Z",
                "equipment_id": 4,
                "connection_id": 1,
            }
        }
        rows = (await http.get(f"/api/fleet/v1/edges/{EDGE}/data?limit=10")).json()
        assert [row["value"] for row in rows] == [11.0, 25.4]
        assert len((await http.get(f"/api/fleet/v1/edges/{EDGE}/data?limit=1")).json()) == 1
        assert (await http.get(f"/api/fleet/v1/edges/{EDGE}/data?limit=all")).status_code == 400
        [kept] = (await http.get(f"/api/fleet/v1/edges/{EDGE}/heartbeats")).json()
        assert kept["cpu_percent"] == 12.5


async def test_a_command_and_its_response() -> None:
    async with Mosquitto() as broker, FleetServer(broker_url=broker.url) as fleet:
        async with MadeUpEdge(EDGE, broker.url):
            answer = await fleet.command(EDGE, "ping")
        assert answer["status"] == "success"
        with pytest.raises(TimeoutError):
            await fleet.command(EDGE, "ping", timeout_s=0.05)
        async with httpx.AsyncClient(base_url=fleet.url) as http:
            [kept] = (await http.get(f"/api/fleet/v1/edges/{EDGE}/responses")).json()
        assert kept["command_id"] == answer["command_id"]


async def test_without_a_broker_a_command_is_refused(fleet: FleetServer) -> None:
    with pytest.raises(ConnectionError, match="ping was not sent"):
        await fleet.command(EDGE, "ping")


def _deaf(topic: str, payload: bytes, received_at_ms: int) -> None:
    pass


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)
