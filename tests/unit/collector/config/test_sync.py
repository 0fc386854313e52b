"""Config sync: what comes is applied, what is no config costs nothing, what is known is asked for conditionally."""

import asyncio
import hashlib
import json
from collections import deque
from pathlib import Path

import pytest

from collector.config.file import FileSource
from collector.config.plan import Plan
from collector.config.planner import PlanOptions
from collector.config.sync import ConfigSync
from collector.status.board import Board
from fleet_client.copies import DocumentStore
from fleet_client.errors import FleetRefused, FleetUnreachable, NotAConfig
from fleet_client.fetched import Fetched, NotModified
from tests.doubles.clock import FakeClock


def document(version: str, *addresses: int, edge_id: str = "edge-1") -> bytes:
    tags = [{"name": f"t{address}", "address": address, "data_type": "UINT16"} for address in addresses]
    device = {"id": "1", "protocol": "modbus_tcp", "connection": {"host": "127.0.0.1"}, "tags": tags}
    return json.dumps({"version": version, "edge_id": edge_id, "devices": [device] if tags else []}).encode()


def fetched(body: bytes, etag: str | None = None, edge_id: str = "edge-1") -> Fetched:
    return Fetched(body, hashlib.sha256(body).hexdigest(), etag, edge_id, "/config", None)


class ScriptedSource:
    """Gives what it is told to, and notes what it was asked with."""

    def __init__(self, *answers: Fetched | NotModified | Exception) -> None:
        self.name = "fleet"
        self.edge_id = "edge-1"
        self.answers = deque(answers)
        self.asked_with: list[str | None] = []
        self.at_its_end = asyncio.Event()

    async def news(self) -> None:
        await asyncio.Event().wait()

    async def fetch(self, etag: str | None) -> Fetched | NotModified:
        self.asked_with.append(etag)
        if not self.answers:
            self.at_its_end.set()
            await asyncio.Event().wait()
        answer = self.answers.popleft()
        if isinstance(answer, Exception):
            raise answer
        return answer


class Office:
    def __init__(self, folder: Path, *answers: Fetched | NotModified | Exception) -> None:
        self.clock = FakeClock()
        self.board = Board(self.clock)
        self.plans: list[Plan] = []
        self.unbearable: str | None = None
        """The version that can not be applied, once."""
        self.source = ScriptedSource(*answers)
        self.store = DocumentStore(folder)
        self.sync = ConfigSync(
            self.source,
            self.store,
            PlanOptions(edge_id="edge-1"),
            self.apply,
            fixed_id=False,
            interval_s=0.001,
            clock=self.clock,
            board=self.board,
        )

    def apply(self, plan: Plan) -> None:
        if plan.version == self.unbearable:
            self.unbearable = None
            raise RuntimeError(plan.version)
        self.plans.append(plan)

    async def run(self) -> None:
        """Run until the script is at its end and its last answer was dealt with."""
        task = asyncio.create_task(self.sync.run())
        async with asyncio.timeout(20):
            await self.source.at_its_end.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    @property
    def versions(self) -> list[str | None]:
        return [plan.version for plan in self.plans]


async def test_a_new_document_is_applied_kept_and_asked_for_conditionally(tmp_path: Path) -> None:
    office = Office(
        tmp_path, fetched(document("v1", 40001), '"a"'), NotModified(None), fetched(document("v2", 40002), '"b"')
    )
    await office.run()
    assert office.versions == ["v1", "v2"]
    assert office.source.asked_with[:3] == [None, '"a"', '"a"']
    assert office.source.asked_with[3] == '"b"'
    kept = office.store.load()
    assert kept is not None
    assert (kept.body, kept.etag) == (document("v2", 40002), '"b"')
    assert office.board.config.version == "v2"


async def test_without_an_etag_the_version_goes_back_and_the_body_decides(tmp_path: Path) -> None:
    same = fetched(document("v1", 40001))
    office = Office(tmp_path, same, same, same)
    await office.run()
    assert office.versions == ["v1"]
    assert office.source.asked_with[:2] == [None, '"v1"']


async def test_what_is_no_config_costs_nothing_and_its_etag_is_not_kept(tmp_path: Path) -> None:
    office = Office(
        tmp_path,
        fetched(document("v1", 40001), '"a"'),
        fetched(b"<html>welcome</html>", '"b"'),
        fetched(document("v1", 40001, edge_id="edge-2"), '"c"'),
        NotModified(None),
    )
    await office.run()
    assert office.versions == ["v1"]
    assert set(office.source.asked_with[1:]) == {'"a"'}
    assert office.board.config.error is None


async def test_an_empty_list_is_obeyed(tmp_path: Path) -> None:
    office = Office(tmp_path, fetched(document("v1", 40001), '"a"'), fetched(document("v2"), '"b"'))
    await office.run()
    assert [len(plan.devices) for plan in office.plans] == [1, 0]


async def test_the_last_good_document_starts_without_the_server(tmp_path: Path) -> None:
    DocumentStore(tmp_path).keep(document("v1", 40001), '"a"', "edge-1", "/config")
    office = Office(tmp_path, FleetUnreachable("refused"))
    await office.sync.start_from_copy()
    assert office.versions == ["v1"]
    assert office.board.config.source == "disk"
    await office.run()
    assert office.sync.asked.is_set()
    assert office.board.config.error == "refused"


async def test_the_spelling_that_proved_right_is_used_from_the_start(tmp_path: Path) -> None:
    DocumentStore(tmp_path).keep(document("v1", 40001, edge_id="1"), '"a"', "1", "/config")
    office = Office(tmp_path)
    await office.sync.start_from_copy()
    assert office.source.edge_id == "1"


async def test_a_server_that_is_silent_does_not_hold_up_the_first_heartbeat(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collector.config.sync.ASK_AT_START_S", 0.02)
    office = Office(tmp_path)
    task = asyncio.create_task(office.sync.run())
    await asyncio.wait_for(office.sync.asked.wait(), 2)
    assert "no answer to the question for edge-1" in (office.board.config.error or "")
    task.cancel()


async def test_a_refusal_is_not_hammered(tmp_path: Path) -> None:
    office = Office(tmp_path, FleetRefused(401, "the token was refused"))
    task = asyncio.create_task(office.sync.run())
    await asyncio.wait_for(office.sync.asked.wait(), 10)
    await asyncio.sleep(0.05)  # fifty intervals
    assert len(office.source.asked_with) == 1
    task.cancel()


async def test_a_server_that_is_away_for_long_makes_the_configuration_stale(tmp_path: Path) -> None:
    office = Office(tmp_path, fetched(document("v1", 40001), '"a"'))
    await office.run()
    office.clock.advance(901)
    office.source.at_its_end.clear()
    office.source.answers.extend([FleetUnreachable("no route"), FleetUnreachable("no route")])
    await office.run()
    assert office.board.conditions["config_stale"].detail == "no route"


async def test_a_fault_of_our_own_costs_the_answer_that_set_it_off_and_not_the_next(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    office = Office(
        tmp_path, fetched(document("v1", 40001), '"a"'), KeyError("odd"), KeyError("odd"), NotModified(None),
        KeyError("odd"), fetched(document("v2", 40002), '"b"'), TypeError("odder"),
    )  # fmt: skip
    await office.run()
    assert office.versions == ["v1", "v2"]
    assert office.source.asked_with[1:5] == ['"a"', None, None, '"a"'], "the next answer may be told from scratch"
    assert "TypeError" in (office.board.config.error or "")
    assert capsys.readouterr().out.count("Traceback") == 3, "each fault once until all is well again"


async def test_a_fault_of_our_own_for_long_makes_the_configuration_stale(tmp_path: Path) -> None:
    office = Office(tmp_path, fetched(document("v1", 40001), '"a"'))
    await office.run()
    office.clock.advance(901)
    office.source.at_its_end.clear()
    office.source.answers.extend([KeyError("odd"), KeyError("odd")])
    await office.run()
    assert "KeyError" in office.board.conditions["config_stale"].detail


async def test_what_could_not_be_applied_is_applied_when_it_comes_again(tmp_path: Path) -> None:
    v2 = fetched(document("v2", 40002), '"b"')
    office = Office(tmp_path, fetched(document("v1", 40001), '"a"'), v2, v2)
    office.unbearable = "v2"
    await office.run()
    assert office.versions == ["v1", "v2"]
    assert office.board.config.error is None


async def test_reload_applies_or_says_why_not(tmp_path: Path) -> None:
    office = Office(tmp_path, fetched(document("v1", 40001), '"a"'), fetched(b"{", '"b"'))
    assert (await office.sync.reload()).plan.version == "v1"
    with pytest.raises(NotAConfig):
        await office.sync.reload()
    assert office.versions == ["v1"]


async def test_a_file_is_a_source_too(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    source = FileSource(file, "edge-1", {})
    with pytest.raises(FleetUnreachable, match="EDGE_CONFIG_FILE"):
        await source.fetch(None)
    file.write_bytes(document("v1", 40001))
    first = await source.fetch(None)
    assert isinstance(first, Fetched)
    assert isinstance(await source.fetch(first.etag), NotModified)
    file.write_bytes(document("v2", 40001))
    assert isinstance(await source.fetch(first.etag), Fetched)


async def test_a_yaml_file_with_variables_says_the_same_as_json(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(
        "version: 2026-04-17T07:25:26Z\n"
        "edge_id: edge-1\n"
        "devices:\n"
        "- {id: 1, protocol: modbus_tcp, connection: {host: '${PLC_HOST}'},\n"
        "   tags: [{name: 온도, address: 00001, data_type: UINT16, scale: 0.1}]}\n",
        encoding="utf-8",
    )
    fetched = await FileSource(file, "edge-1", {"PLC_HOST": "10.0.0.9"}).fetch(None)
    assert isinstance(fetched, Fetched)
    assert json.loads(fetched.body) == {
        "version": "2026-04-17T07:25:26Z",
        "edge_id": "edge-1",
        "devices": [
            {
                "id": "1",
                "protocol": "modbus_tcp",
                "connection": {"host": "10.0.0.9"},
                "tags": [{"name": "온도", "address": "00001", "data_type": "UINT16", "scale": "0.1"}],
            }
        ],
    }
    with pytest.raises(NotAConfig, match="PLC_HOST"):
        await FileSource(file, "edge-1", {}).fetch(None)
    file.write_text("devices: [", encoding="utf-8")
    with pytest.raises(NotAConfig, match="no YAML document"):
        await FileSource(file, "edge-1", {}).fetch(None)


async def test_another_edges_document_is_not_started_with(tmp_path: Path) -> None:
    DocumentStore(tmp_path).keep(document("v1", 40001), '"a"', "edge-of-before", "/config")
    office = Office(tmp_path)
    await office.sync.start_from_copy()
    assert office.plans == []
