"""Everything a Fleet server can do wrong, against a real socket: the last good document stays in force."""

import asyncio
import gzip
import json
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from collector.config.api import ApiSource
from collector.config.plan import Plan
from collector.config.planner import PlanOptions
from collector.config.sync import REFUSED_PAUSE_S, ConfigSync
from collector.status.board import Board, DeviceCondition
from fleet_client.copies import DocumentStore
from fleet_client.json_text import MAX_BODY_BYTES
from tests.doubles.canaries import CANARIES
from tests.doubles.clock import FakeClock
from tests.doubles.fleet_server import FleetServer, Reply

PATH = "/api/fleet/v1/edges/edge-1/config"
TOKEN = CANARIES["fleet"]
DEEP = b'{"devices": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"


def body(version: str, *ids: str, **fields: object) -> bytes:
    tags = [{"name": "a", "address": "40001", "data_type": "UINT16"}]
    devices = [
        {"id": each, "protocol": "modbus_tcp", "connection": {"host": "10.0.0.1"}, "tags": tags, **fields}
        for each in ids
    ]
    return json.dumps({"version": version, "edge_id": "edge-1", "devices": devices}).encode()


GOOD = body("v1", "1")
FAULTS = {
    "500": Reply(500),
    "503": Reply(503, headers={"Retry-After": "1"}),
    "timeout": Reply(body=GOOD, headers={"Content-Length": "999"}, pause_s=0.05),
    "slow drip": Reply(body=body("v2", *map(str, range(90))), pause_s=0.01),
    "cut off": Reply(body=GOOD, sent=9),
    "garbage": Reply(body=bytes(range(256))),
    "half JSON": Reply(body=GOOD[:-9], etag='"half"'),
    "web page": Reply(body=b"<html>", headers={"Content-Type": "text/html"}),
    "web page as JSON": Reply(body=b"<!doctype html><html></html>"),
    "gzip bomb": Reply(body=gzip.compress(bytes(2 * MAX_BODY_BYTES), 1), headers={"Content-Encoding": "gzip"}),
    "1 GB": Reply(body=b" " * (MAX_BODY_BYTES + 1), headers={"Content-Length": str(1 << 30)}),
    "depth 10^5": Reply(body=DEEP, etag='"deep"'),
    "no devices": Reply(body=b'{"version": "v2"}', etag='"none"'),
    "another edge": Reply(body=body("v2", "1").replace(b"edge-1", b"edge-9"), etag='"theirs"'),
}


class Site:
    """A real sync with a real client, real copies, and a clock that stands still unless it is turned."""

    def __init__(self, fleet: FleetServer, folder: Path) -> None:
        self.fleet = fleet
        self.clock = FakeClock()
        self.board = Board(self.clock)
        self.plans: list[Plan] = []
        self.events: list[tuple[object, object]] = []
        self.store = DocumentStore(folder)
        self.source = ApiSource(fleet.url, "edge-1", token=TOKEN, fixed_id=True, deadline_s=0.5)
        self.sync = ConfigSync(
            self.source, self.store, PlanOptions("edge-1"), self.plans.append, fixed_id=True, interval_s=30,
            clock=self.clock, board=self.board,
            tell=lambda kind, fields: self.events.append((fields["state"], fields["version"])),
        )  # fmt: skip

    def serve(self, reply: Reply) -> None:
        self.fleet.replies[PATH] = reply

    async def ask(self) -> float:
        """One round; the pause after it."""
        return await self.sync._ask_once()


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with FleetServer() as fleet:
        site = Site(fleet, tmp_path)
        async with site.source:
            yield site


@pytest.mark.parametrize("name", FAULTS)
async def test_f1_f2_no_fault_costs_the_document_in_force_or_its_etag(site: Site, name: str) -> None:
    site.serve(Reply(body=GOOD, etag='"v1"'))
    await site.ask()
    site.serve(FAULTS[name])
    for _ in range(2):
        await site.ask()
    assert [plan.version for plan in site.plans] == ["v1"]
    assert site.board.config.error
    assert site.fleet.seen[-1].headers["if-none-match"] == '"v1"'
    assert [state for state, _ in site.events].count("refused") <= 1
    site.serve(Reply(body=body("v3", "1", "2"), etag='"v3"'))
    await site.ask()
    assert [plan.version for plan in site.plans] == ["v1", "v3"]
    assert site.board.config.error is None


@pytest.mark.parametrize("name", FAULTS)
async def test_f1_the_copy_starts_whatever_the_server_does(site: Site, name: str) -> None:
    site.store.keep(GOOD, '"v1"', "edge-1", PATH)
    site.serve(FAULTS[name])
    await site.sync.start_from_copy()
    await site.ask()
    assert [plan.version for plan in site.plans] == ["v1"]


def test_f1_there_are_fourteen_behaviours() -> None:
    assert len(FAULTS) == 14


async def test_f1_after_fifteen_minutes_the_configuration_is_stale_and_the_pauses_grow(site: Site) -> None:
    site.serve(Reply(body=GOOD))
    await site.ask()
    site.serve(Reply(500))
    pauses = [await site.ask() for _ in range(5)]
    assert all(27 <= pause <= 33 for pause in pauses[:1])
    assert all(108 <= pause <= 132 for pause in pauses[2:])
    site.clock.advance(899)
    await site.ask()
    assert "config_stale" not in site.board.conditions
    site.clock.advance(1)
    await site.ask()
    assert "config_stale" in site.board.conditions
    site.serve(Reply(body=GOOD))
    assert 27 <= await site.ask() <= 33
    assert "config_stale" not in site.board.conditions


async def test_f1_a_server_that_sends_garbage_for_ever_is_stale_too(site: Site) -> None:
    site.serve(Reply(body=b"garbage"))
    for _ in range(2):
        await site.ask()
        site.clock.advance(900)
    await site.ask()
    assert "config_stale" in site.board.conditions


@pytest.mark.parametrize("status", [401, 403])
async def test_f3_a_refusal_is_not_hammered_and_the_token_is_in_no_word(
    site: Site, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    site.serve(Reply(body=GOOD))
    await site.ask()
    site.serve(Reply(status))
    for _ in range(6):
        assert await site.ask() >= REFUSED_PAUSE_S
    assert [plan.version for plan in site.plans] == ["v1"]
    assert TOKEN not in str(site.board.config) + str(site.board.conditions) + capsys.readouterr().out


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("where", ["another host", "the same host"])
async def test_f4_a_redirect_is_not_followed_and_the_token_stays_here(site: Site, status: int, where: str) -> None:
    site.serve(Reply(body=GOOD))
    await site.ask()
    async with FleetServer() as elsewhere:
        target = elsewhere if where == "another host" else site.fleet
        site.serve(Reply(status, headers={"Location": f"{target.url}/stolen?x=1"}))
        target.replies["/stolen?x=1"] = Reply(body=body("v2", "1"))
        await site.ask()
        assert elsewhere.seen == []
    assert "/stolen?x=1" not in site.fleet.paths
    assert "redirects to" in (site.board.config.error or "")
    assert [plan.version for plan in site.plans] == ["v1"]


async def test_f5_a_304_without_a_document_is_asked_for_again_without_condition(site: Site) -> None:
    site.store.keep(GOOD, '"v1"', "edge-1", PATH)
    current = site.store._current
    current.write_bytes(b"damaged")
    shutil.rmtree(current.parent / "earlier")
    await site.sync.start_from_copy()
    assert site.plans == []
    site.serve(Reply(304))
    await site.ask()
    assert site.plans == []
    site.serve(Reply(body=GOOD, etag='"v1"'))
    await site.ask()
    assert "if-none-match" not in site.fleet.seen[-1].headers
    assert [plan.version for plan in site.plans] == ["v1"]


async def test_f5_a_cache_that_was_deleted_is_written_again(site: Site) -> None:
    site.serve(Reply(body=GOOD, etag='"v1"'))
    await site.ask()
    shutil.rmtree(site.store._current.parent)
    await site.ask()
    kept = site.store.load()
    assert kept is not None
    assert (kept.body, kept.etag) == (GOOD, '"v1"')


async def test_f5_a_cache_that_fails_its_hash_is_mended_within_the_hour(site: Site) -> None:
    site.serve(Reply(body=GOOD, etag='"v1"'))
    await site.ask()
    site.store._current.write_bytes(b"damaged")
    site.clock.advance(3601)
    await site.ask()
    assert "if-none-match" not in site.fleet.seen[-1].headers
    assert site.store._current.read_bytes() == GOOD


async def test_f5_304_for_ever_is_found_out_within_the_hour(site: Site) -> None:
    site.serve(Reply(body=GOOD, etag='"v1"'))
    await site.ask()
    site.serve(Reply(304))
    await site.ask()
    assert site.board.config.error is None
    site.clock.advance(3601)
    await site.ask()
    assert "304" in (site.board.config.error or "")
    assert [plan.version for plan in site.plans] == ["v1"]


@pytest.mark.parametrize("etag", ['W/"weak"', "unquoted", '"', '"é"', "*", 'W/"a", "b"', "x" * 4000])
async def test_f5_an_odd_etag_goes_back_as_it_came(site: Site, etag: str) -> None:
    site.serve(Reply(body=GOOD, etag=etag))
    await site.ask()
    await site.ask()
    assert site.fleet.seen[-1].headers["if-none-match"] == etag
    assert len(site.plans) == 1


async def test_f5_without_etag_the_version_goes_back_and_the_hash_decides(site: Site) -> None:
    site.serve(Reply(body=GOOD))
    for _ in range(3):
        await site.ask()
    assert site.fleet.seen[-1].headers["if-none-match"] == '"v1"'
    assert len(site.plans) == 1
    site.serve(Reply(body=body("v1", "1", "2")))
    await site.ask()
    assert len(site.plans) == 2


@pytest.mark.parametrize("empty", [body("v2"), body("v2", "1", enabled=False)])
async def test_f8_an_empty_or_disabled_list_is_obeyed_with_an_event(site: Site, empty: bytes) -> None:
    site.serve(Reply(body=GOOD))
    await site.ask()
    site.board.device("1", "1", DeviceCondition.ONLINE)
    site.serve(Reply(body=empty))
    await site.ask()
    assert [len(plan.devices) for plan in site.plans] == [1, 0]
    assert site.events == [("applied", "v1"), ("applied", "v2")]


@pytest.mark.parametrize("step", range(1, 13))
async def test_f9_a_crash_during_apply_leaves_the_old_or_the_new_document(
    site: Site, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process ends at each step of keeping in turn: nothing after it is carried out."""
    site.serve(Reply(body=GOOD, etag='"v1"'))
    await site.ask()
    new = body("v2", "1", "2")
    site.serve(Reply(body=new, etag='"v2"'))
    steps = 0

    class PowerCutError(BaseException):
        pass

    def crashpoint(real: object) -> object:
        def act(*arguments: object, **more: object) -> object:
            nonlocal steps
            steps += 1
            if steps >= step:
                raise PowerCutError
            return real(*arguments, **more)  # type: ignore[operator]

        return act

    monkeypatch.setattr("os.fsync", crashpoint(os.fsync))
    monkeypatch.setattr(Path, "replace", crashpoint(Path.replace))
    with pytest.raises(PowerCutError):
        await site.ask()
    monkeypatch.undo()
    kept = DocumentStore(site.store._current.parent).load()
    assert kept is not None
    assert (kept.body, kept.etag) in ((GOOD, '"v1"'), (new, '"v2"'))


async def test_a_silenced_plant_goes_back_over_a_restart_and_the_bad_version_is_not_taken_again(
    site: Site, tmp_path: Path
) -> None:
    site.serve(Reply(body=GOOD, etag='"v1"'))
    await site.ask()
    site.serve(Reply(body=body("v2", "1", "2"), etag='"v2"'))
    await site.ask()
    earlier = await site.sync.roll_back()
    assert (earlier.plan.version, site.sync.in_force) == ("v1", earlier)
    for _ in range(3):
        await site.ask()
    assert site.fleet.seen[-1].headers["if-none-match"] == '"v2"'
    assert [plan.version for plan in site.plans] == ["v1", "v2", "v1"]
    assert site.events == [("applied", "v1"), ("applied", "v2"), ("rolled_back", "v2")]

    again = Site(site.fleet, tmp_path)
    async with again.source:
        await again.sync.start_from_copy()
        site.clock.advance(7200)
        await again.ask()
        assert [plan.version for plan in again.plans] == ["v1"]
        assert (await again.sync.reload()).plan.version == "v2"


async def test_a_document_that_was_rolled_back_by_itself_is_tried_again_after_ten_minutes(site: Site) -> None:
    bad = body("v2", "1", "2")
    for reply in (Reply(body=GOOD, etag='"v1"'), Reply(body=bad, etag='"v2"')):
        site.serve(reply)
        await site.ask()
        site.board.device("1", "1", DeviceCondition.ONLINE)
    site.board.device("1", "1", DeviceCondition.OFFLINE, "no answer")
    running = asyncio.create_task(site.sync._rollout.run())
    site.clock.advance(70)
    site.sync._rollout._changed.set()
    async with asyncio.timeout(5):
        while site.sync.in_force is None or site.sync.in_force.plan.version != "v1":
            await asyncio.sleep(0.01)
    await site.ask()
    assert site.sync.in_force.plan.version == "v1"
    site.clock.advance(601)
    await site.ask()
    assert site.sync.in_force.plan.version == "v2"
    running.cancel()


async def test_rolling_back_twice_goes_further_back_and_ends_where_there_is_nothing(site: Site) -> None:
    for version in ("v1", "v2", "v3"):
        site.serve(Reply(body=body(version, "1"), etag=f'"{version}"'))
        await site.ask()
    assert (await site.sync.roll_back()).plan.version == "v2"
    assert (await site.sync.roll_back()).plan.version == "v1"
    with pytest.raises(Exception, match="no earlier configuration"):
        await site.sync.roll_back()
