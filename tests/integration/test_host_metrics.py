"""The ready document for the gateway's own figures: planned as it stands, and polled on the machine at hand."""

import asyncio
import io
import json
from pathlib import Path

from rich.console import Console

from collector.cli.check import check_file
from collector.clock import SystemClock
from collector.config.plan import DevicePlan
from collector.config.planner import PlanOptions, plan_document
from collector.delivery.changes import Changes
from collector.polling.scan import Scan
from collector.polling.supervisor import Supervisor
from collector.status.board import Board
from fleet_client.reading import read_document
from protocols import registry
from protocols.quality import Quality
from tests.doubles.documentation import ROOT
from tests.doubles.hall import Hall
from tests.doubles.host_root import ADDRESS, made_up_host

DOCUMENT = ROOT / "docs" / "examples" / "host-metrics.json"
NOT_EVERYWHERE = ("net_", "disk_read_bytes", "disk_write_bytes", "cpu_temperature", "disk_inodes_percent", "disk_full")


def planned() -> DevicePlan:
    """The gateway as the document has it."""
    plan = plan_document(read_document(DOCUMENT.read_bytes(), expected_edge_ids=None), PlanOptions(edge_id="edge-1"))
    assert (plan.problems, plan.remarks) == ((), ())
    [device] = plan.devices
    return device


def test_check_has_nothing_to_say_against_it() -> None:
    said = io.StringIO()
    console = Console(file=said, soft_wrap=True)
    assert check_file(DOCUMENT, "auto", {}, console, console) == 0
    assert "2 tags computed from these" in said.getvalue()


def test_each_kind_of_figure_has_an_interval_of_its_own() -> None:
    assert [group.interval_ms for group in planned().groups] == [5000, 10000, 15000, 60000]


async def test_it_is_polled_for_real() -> None:
    plan = plan_document(read_document(DOCUMENT.read_bytes(), expected_edge_ids=None), PlanOptions(edge_id="edge-1"))
    clock = SystemClock()
    board = Board(clock)
    scans: asyncio.Queue[Scan] = asyncio.Queue()
    async with Supervisor(clock=clock, board=board, deliver=scans.put_nowait, driver_of=registry.driver) as supervisor:
        supervisor.apply(plan)
        async with asyncio.timeout(20):
            scan = await scans.get()
    names = [tag["name"] for tag in json.loads(DOCUMENT.read_text("utf-8"))["devices"][0]["tags"]]
    assert list(scan.names) == names
    lacking = {scan.names[position] for position in scan.bad}
    assert [name for name in lacking if not name.startswith(NOT_EVERYWHERE)] == []
    assert set(scan.bad.values()) <= {Quality.BAD_ADDRESS}
    values = dict(zip(scan.names, scan.values, strict=True))
    assert isinstance(values["uptime"], int)
    assert isinstance(values["memory_available_mib"], float)
    assert values["disk_full"] in ("OK", "FULL", None)
    assert Changes(clock, send_empty=False).of(scan) is scan


async def test_s19_in_a_container_heartbeat_and_tags_are_the_gateways(tmp_path: Path) -> None:
    host_root = made_up_host(tmp_path / "host")
    async with Hall(tmp_path, HOST_ROOT=host_root, START_JITTER_SEC=0) as hall:
        tag = {"name": "received", "address": "net.enp3s0.bytes_recv"}
        hall.configure({"id": "gateway", "protocol": "host", "interval_ms": 200, "tags": [tag]})
        hall.collector.start()
        await hall.until(lambda: hall.values("received"), what="a figure of the gateway")
        assert hall.values("received")[0] == 7_000_001
        status = hall.messages("status")[0]
        assert (status["ip_address"], status["memory_percent"]) == (ADDRESS, 75.0)
