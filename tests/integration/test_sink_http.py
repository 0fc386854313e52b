"""The HTTP sink against a real server: what each kind of answer means, and what goes over the wire."""

import base64
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from collector.delivery.message import Entry
from collector.delivery.sinks import http
from collector.delivery.sinks.destination import Away, LettersUnwanted
from collector.delivery.sinks.http import Http
from tests.doubles.certificates import Authority
from tests.doubles.uplink_server import Reply, UplinkServer


@pytest.fixture
async def server() -> AsyncIterator[UplinkServer]:
    async with UplinkServer() as server:
        yield server


@pytest.fixture
async def sink(server: UplinkServer) -> AsyncIterator[Http]:
    sink = Http(server.url, username="공장", password="canary")
    await sink.open()
    yield sink
    await sink.close()


def batch(*kinds: str) -> list[Entry]:
    """Messages of these kinds, numbered."""
    return [
        Entry(f"vexplor/devices/edge-1/{kind}", f'{{"n":{number},"tags":{{"온도":1}}}}'.encode(), 0, 0.0, seq=number)
        for number, kind in enumerate(kinds)
    ]


async def deliver(sink: Http, entries: Sequence[Entry]) -> dict[int | None, str | None]:
    """By seq, how each that was settled was."""
    settled: dict[int | None, str | None] = {}
    await sink.deliver(entries, lambda entry, why: settled.update({entry.seq: why}))
    return settled


async def test_messages_go_as_json_on_one_connection(server: UplinkServer, sink: Http) -> None:
    assert await deliver(sink, batch("data", "data", "events")) == {0: None, 1: None, 2: None}
    await deliver(sink, batch("data"))
    assert [each.path for each in server.posted] == ["/base/data", "/base/events", "/base/data"]
    assert server.posted[0].body == [{"edge_id": "edge-1", "n": n, "tags": {"온도": 1}} for n in range(2)]
    assert server.posted[0].headers["content-type"] == "application/json"
    expected = base64.b64encode("공장:canary".encode()).decode()
    assert server.posted[0].headers["authorization"] == f"Basic {expected}"
    assert server.connections == 1


@pytest.mark.parametrize("status", [500, 502, 503, 504, 408, 429])
async def test_k5_a_server_in_trouble_keeps_everything_waiting(server: UplinkServer, sink: Http, status: int) -> None:
    server.answer = lambda posted: Reply(status, {"Retry-After": "7"})
    with pytest.raises(Away, match=str(status)) as caught:
        await deliver(sink, batch("data"))
    assert caught.value.leave_alone_s == 7


@pytest.mark.parametrize("text", ["soon", "-1", "9" * 400, "Fri, 31 Dec 1999 23:59:59 GMT", "٣"])
async def test_a_time_to_wait_that_makes_no_sense_is_bounded(server: UplinkServer, sink: Http, text: str) -> None:
    server.answer = lambda posted: Reply(503, {"Retry-After": text.encode().decode("latin-1")})
    with pytest.raises(Away) as caught:
        await deliver(sink, batch("data"))
    assert 0 <= caught.value.leave_alone_s <= 600


async def test_a_server_that_is_not_there_says_so_without_the_password(server: UplinkServer, sink: Http) -> None:
    await server.stop()
    with pytest.raises(Away, match="Connection refused") as caught:
        await deliver(sink, batch("data"))
    assert "canary" not in str(caught.value)
    await server.start()
    assert await deliver(sink, batch("data")) == {0: None}


async def test_k7_a_server_that_never_answers_is_given_up(
    server: UplinkServer, sink: Http, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "_REQUEST_S", 0.2)
    server.answer = lambda posted: Reply(None)
    with pytest.raises(Away, match="no answer in time"):
        await deliver(sink, batch("data"))


async def test_s3_proxy_variables_are_not_heeded(
    server: UplinkServer, sink: Http, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sink.close()
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    await sink.open()
    assert await deliver(sink, batch("data")) == {0: None}


async def test_a_redirect_is_not_followed(server: UplinkServer, sink: Http) -> None:
    server.answer = lambda posted: Reply(307, {"Location": f"{server.url}/elsewhere"})
    with pytest.raises(Away, match="set UPLINK_URL to the server itself"):
        await deliver(sink, batch("data"))
    assert [each.path for each in server.posted] == ["/base/data"]


@pytest.mark.parametrize(("status", "words"), [(401, "user and password"), (403, "user and password"), (404, "404")])
async def test_k5_a_refusal_for_the_operator_costs_no_message(
    server: UplinkServer, sink: Http, status: int, words: str
) -> None:
    server.answer = lambda posted: Reply(status)
    with pytest.raises(Away, match=words):
        await deliver(sink, batch("data", "events"))


async def test_k6_a_server_without_a_place_for_events_gets_data(server: UplinkServer, sink: Http) -> None:
    server.answer = lambda posted: Reply(404 if posted.path.endswith("events") else 204)
    with pytest.raises(LettersUnwanted):
        await deliver(sink, batch("events", "data"))
    assert [each["n"] for each in server.taken["data"]] == [1]


@pytest.mark.parametrize("status", [400, 413, 422])
async def test_k4_a_poison_message_is_found_and_refused(server: UplinkServer, sink: Http, status: int) -> None:
    server.answer = lambda posted: Reply(status if any(each["n"] == 5 for each in posted.body) else 200)
    settled = await deliver(sink, batch(*["data"] * 20))
    assert {number for number, why in settled.items() if why} == {5}
    assert str(status) in str(settled[5])
    assert sorted(int(str(each["n"])) for each in server.taken["data"]) == [n for n in range(20) if n != 5]


async def test_tls_is_checked_against_the_authorities_of_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Authority(tmp_path, "plant")
    async with UplinkServer(authority.issue("uplink")) as server:
        url = server.url.replace("127.0.0.1", "localhost")
        stranger = Http(url, username=None, password=None)
        await stranger.open()
        with pytest.raises(Away, match="certificate verify failed"):
            await deliver(stranger, batch("data"))
        await stranger.close()
        assert server.posted == []
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
        sink = Http(url, username=None, password=None)
        await sink.open()
        assert await deliver(sink, batch("data")) == {0: None}
        await sink.close()
