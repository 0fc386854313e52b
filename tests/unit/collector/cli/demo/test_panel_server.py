"""Who may ask the demo's page for what."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from collector.cli.demo.brokers import EmbeddedBehindDoor
from collector.cli.demo.gateway import Gateway
from collector.cli.demo.hall import Hall
from collector.cli.demo.machines import MACHINES
from collector.cli.demo.outage import Outage
from collector.cli.demo.panel.actions import Mischief
from collector.cli.demo.panel.server import TOKEN_HEADER, PanelServer
from collector.cli.demo.ring import Ring
from collector.cli.demo.subscriber import Books, Subscriber
from simulators.fleet import FleetServer

STOP = {"what": "plc", "device": "1", "stopped": True}


class Visitor:
    """Somebody with the link; the collector has not started yet."""

    def __init__(self, panel: PanelServer, mischief: Mischief, http: httpx.AsyncClient) -> None:
        parts = urlsplit(panel.link)
        self.mischief = mischief
        self.origin, self.token = f"http://{parts.netloc}", parts.fragment
        self._http = http

    @property
    def broken(self) -> bool:
        """Whether the PLC is stopped."""
        return self.mischief.stopped_plcs()["1"]

    async def get(self, path: str, **headers: str) -> httpx.Response:
        return await self._http.get(self.origin + path, headers=headers)

    async def do(self, order: object, headers: Mapping[str, str]) -> httpx.Response:
        return await self._http.post(f"{self.origin}/do", json=order, headers=headers)


@pytest.fixture
async def visitor(tmp_path: Path) -> AsyncIterator[Visitor]:
    ring, broker = Ring(), EmbeddedBehindDoor()
    subscriber = Subscriber("mqtt://127.0.0.1:1", persistent=False)
    gateway = Gateway(tmp_path, {"DATA_DIR": str(tmp_path)}, ring)
    async with Hall(lambda _: None, MACHINES[:1]) as hall, FleetServer() as fleet:
        mischief = Mischief(gateway, Outage(broker, subscriber, gateway), hall, fleet, ring)

        def books() -> Books:
            return subscriber.books(gateway.board.buffer, gateway.lives)

        async with PanelServer(mischief, books, "http://127.0.0.1:1/") as panel, httpx.AsyncClient() as http:
            yield Visitor(panel, mischief, http)


async def test_with_the_token_a_plc_is_stopped_and_started(visitor: Visitor) -> None:
    answer = await visitor.do(STOP, {TOKEN_HEADER: visitor.token, "Origin": visitor.origin})
    assert answer.status_code == 200
    assert visitor.broken
    assert answer.json()["devices"][0]["stopped"] is True
    await visitor.do({**STOP, "stopped": False}, {TOKEN_HEADER: visitor.token})
    assert not visitor.broken


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (401, {}),
        (401, {TOKEN_HEADER: "guessed"}),
        (403, {TOKEN_HEADER: "{token}", "Origin": "http://evil.example"}),
        (403, {TOKEN_HEADER: "{token}", "Origin": "null"}),
        (403, {TOKEN_HEADER: "{token}", "Origin": "http://127.0.0.1:1"}),
        (421, {TOKEN_HEADER: "{token}", "Host": "evil.example"}),
    ],
)
async def test_no_other_page_can_break_anything(visitor: Visitor, status: int, headers: dict[str, str]) -> None:
    sent = {name: value.format(token=visitor.token) for name, value in headers.items()}
    assert (await visitor.do(STOP, sent)).status_code == status
    assert not visitor.broken


@pytest.mark.parametrize("method", ["OPTIONS", "PUT", "DELETE", "HEAD"])
async def test_nothing_else_is_possible(visitor: Visitor, method: str) -> None:
    """So a browser that asks first, as it does for another site's request with a header of its own, is refused."""
    async with httpx.AsyncClient() as http:
        answer = await http.request(method, f"{visitor.origin}/do", headers={"Origin": "http://evil.example"})
    assert answer.status_code == 405
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    "order",
    [
        {},
        {"what": "everything"},
        {**STOP, "device": 1},
        {**STOP, "more": 1},
        {"what": "config", "document": "../../etc/passwd"},
    ],
)
async def test_an_order_that_is_none_is_refused(visitor: Visitor, order: object) -> None:
    assert (await visitor.do(order, {TOKEN_HEADER: visitor.token})).status_code == 422
    assert not visitor.broken


@pytest.mark.parametrize(
    ("order", "reason"),
    [
        ({"what": "kill"}, "the collector does not run just now"),
        ({"what": "damage"}, "pull the broker first"),
        ({**STOP, "device": "6"}, "there is no PLC '6' here that can be stopped"),
    ],
)
async def test_what_can_not_be_broken_now_is_said(visitor: Visitor, order: object, reason: str) -> None:
    answer = await visitor.do(order, {TOKEN_HEADER: visitor.token})
    assert answer.status_code == 409
    assert reason in answer.json()["detail"]


async def test_its_files_come_with_a_policy_that_lets_nothing_else_in(visitor: Visitor) -> None:
    for name, kind in (("", "html"), ("static/panel.js", "javascript"), ("static/style.css", "css")):
        answer = await visitor.get(f"/{name}")
        assert answer.status_code == 200
        assert kind in answer.headers["content-type"]
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
    for name in ("static/index.py", "static/../server.py", "static/%2e%2e/server.py", "etc/passwd"):
        assert (await visitor.get(f"/{name}")).status_code == 404
    assert (await visitor.get("/state", Host="evil.example")).status_code == 421
    assert visitor.token not in (await visitor.get("/")).text + (await visitor.get("/state")).text
