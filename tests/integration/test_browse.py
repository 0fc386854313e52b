"""`edge-collector browse` against the simulated filling line."""

import asyncio
import io
from collections.abc import AsyncIterator

import pytest
from rich.console import Console
from typer.testing import CliRunner

from collector.cli.browse import browse_nodes
from collector.cli.commands import app
from simulators.opcua import OpcUaPlc, demo_layout


@pytest.fixture
async def plc() -> AsyncIterator[OpcUaPlc]:
    async with OpcUaPlc(demo_layout()) as plc:
        yield plc


async def browsed(plc: OpcUaPlc, node: str | None = None, depth: int = 1) -> tuple[int, list[str]]:
    """The exit status and the lines; the command has an event loop of its own, hence the thread."""
    text = io.StringIO()
    console = Console(file=text, width=40, soft_wrap=True)
    status = await asyncio.to_thread(browse_nodes, "opcua", {"endpoint": plc.url}, node, depth, 3, console)
    return status, text.getvalue().splitlines()


async def test_the_tree_is_as_deep_as_asked(plc: OpcUaPlc) -> None:
    status, top = await browsed(plc)
    assert status == 0
    assert "Filler  ns=2;s=Filler  object" in top
    assert not any(line.startswith(" ") for line in top)

    status, tree = await browsed(plc, depth=2)
    below = tree[tree.index("Filler  ns=2;s=Filler  object") + 1]
    assert (status, below) == (0, "  Temperature  ns=2;s=Filler.Temperature  variable Double")


async def test_it_begins_where_it_is_told(plc: OpcUaPlc) -> None:
    status, lines = await browsed(plc, "ns=2;s=Line", depth=5)
    assert (status, lines) == (0, ["EmergencyStop  ns=2;s=Line.EmergencyStop  variable Boolean"])


async def test_a_node_that_is_not_there_and_a_server_that_is_gone_are_one_line_each(plc: OpcUaPlc) -> None:
    status, lines = await browsed(plc, "ns=2;s=Nowhere")
    assert (status, len(lines)) == (1, 1)
    assert "refused to list the children" in lines[0]

    plc.faults.dead = True
    status, lines = await browsed(plc)
    assert (status, len(lines)) == (1, 1)
    assert "refused the connection" in lines[0]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--protocol", "modbus_tcp", "--host", "127.0.0.1"], "modbus_tcp can not list what a device has"),
        (["--protocol", "telepathy"], "'telepathy' is not a known protocol"),
        ([], "connection.host is missing"),
        (["--host", "127.0.0.1", "Filler"], "'Filler' is no OPC-UA node id"),
        (["--host", "127.0.0.1", "--endpoint", "opc.tcp://127.0.0.1"], "host and port already"),
        (["--host", "127.0.0.1", "--set", "username"], "'username' is no FIELD=VALUE"),
        (["--host", "127.0.0.1", "--depth", "0"], "'--depth'"),
    ],
)
def test_bad_arguments_are_told_and_nobody_is_asked(arguments: list[str], said: str) -> None:
    result = CliRunner().invoke(app, ["browse", *arguments], env={"COLUMNS": "200"})
    assert result.exit_code == 2
    assert said in result.output
    assert "Traceback" not in result.output
