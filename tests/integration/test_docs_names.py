"""Nothing that a user can meet is without a word in the documentation, and nothing in it leads nowhere."""

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import get_args
from unittest.mock import Mock

import pytest
import typer

from collector.app.sinks import HTTP, KAFKA
from collector.cli.commands import app
from collector.cli.run import EXIT_FAULT, EXIT_IN_USE, EXIT_SETTINGS
from collector.commands.audit import AUDIT_FOLDER
from collector.commands.buffer import BufferCommands
from collector.commands.handlers import ConfigCommands, StatusCommands
from collector.commands.pausing import PauseCommands
from collector.commands.process import ProcessCommands
from collector.commands.reading import ReadCommands
from collector.commands.support import SupportCommands
from collector.commands.writing import WriteCommands
from collector.delivery.sinks.courier import DOWN, EVENTS_REFUSED
from collector.settings.model import VARIABLES
from collector.status.board import DeviceCondition
from collector.web.token import FILE as TOKEN_FILE
from fleet_client import status
from fleet_client.document import ConfigDocument, DeviceConfig, Location, TagConfig, Thresholds
from fleet_client.payloads import ResponseStatus
from fleet_client.topics import Topics
from protocols import datatypes, registry
from protocols.base import ByteOrder, DataType
from protocols.modbus.connection import ModbusTcpConnection
from protocols.quality import Quality
from tests.doubles.documentation import PAGES, ROOT, anchors_of, blocks_of, links_of

COLLECTOR = [ast.parse(path.read_text("utf-8")) for path in sorted((ROOT / "collector").rglob("*.py"))]
PACKAGES = "collector|fleet_client|protocols|simulators|tests|docs"


def page(name: str) -> str:
    """The text of a page."""
    return (ROOT / name).read_text("utf-8")


def quoted(name: str) -> set[str]:
    """The words that a page sets in code."""
    return {word for code in re.findall(r"`([^`\n]+)`", page(name)) for word in re.split(r"[\s,]+", code)}


def first_column(name: str, heading: str) -> set[str]:
    """The words in code in the first column of the tables under a heading."""
    section = page(name).partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return {
        word for cell in re.findall(r"^\|([^|]*)\|", section, re.MULTILINE) for word in re.findall(r"`([^`]+)`", cell)
    }


def constants(position: int, *calls: str) -> set[str]:
    """The texts that are given to these functions or methods anywhere in the collector, at this position."""

    def given() -> Iterator[str]:
        for call in (node for tree in COLLECTOR for node in ast.walk(tree) if isinstance(node, ast.Call)):
            name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
            value = call.args[position] if name in calls and len(call.args) > position else None
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                yield value.value

    return set(given())


def classes_with(method: str) -> set[str]:
    """The classes of the collector that define this method."""
    classes = (node for tree in COLLECTOR for node in ast.walk(tree) if isinstance(node, ast.ClassDef))
    return {each.name for each in classes if any(getattr(part, "name", "") == method for part in each.body)}


def commands(command: object, path: str) -> Iterator[tuple[str, object]]:
    """A command and all below it, with what a user types."""
    yield path, command
    for name, inner in below(command).items():
        yield from commands(inner, f"{path} {name}")


def below(command: object) -> Mapping[str, object]:
    """The commands of a group."""
    found: Mapping[str, object] = getattr(command, "commands", {})
    return found


def options_of(command: object) -> set[str]:
    """The long options."""
    parameters: Sequence[object] = getattr(command, "params", ())
    return {option for each in parameters for option in getattr(each, "opts", ()) if option.startswith("--")}


COMMAND_LINE = "docs/command-line.md"
CLI: dict[str, object] = dict(commands(typer.main.get_command(app), "edge-collector"))


@pytest.mark.parametrize("typed", CLI)
def test_every_command_is_told_with_its_options(typed: str) -> None:
    command = CLI[typed]
    options = options_of(command)
    if below(command):
        missing = {option for option in options if option not in page(COMMAND_LINE)}
    else:
        (row,) = re.findall(rf"^\| `{typed}(?: [A-Z]+)?` \|(.*)$", page(COMMAND_LINE), re.MULTILINE)
        missing = options ^ set(re.findall(r"--[a-z-]+", row.partition("|")[0]))
    assert missing == set()


def test_topics() -> None:
    kinds = [name for name, member in vars(Topics).items() if isinstance(member, property)]
    assert len(kinds) == 5
    assert {f"vexplor/devices/{{edgeId}}/{kind}" for kind in kinds} <= quoted("docs/mqtt.md")


def test_events_and_the_reasons_of_gaps() -> None:
    types = constants(0, "_tell", "event_letter")
    assert {"gap", "restart", "drained"} <= types
    assert {kind for kind in types if f'"type": "{kind}"' not in page("docs/mqtt.md")} == set()
    reasons = constants(1, "gap_fields", "_announce") | constants(3, "_bury") | constants(0, "purge")
    assert {"limit", "corrupt", "storage"} <= reasons
    assert reasons <= quoted("docs/mqtt.md")


def test_states_and_conditions() -> None:
    conditions = constants(0, "raise_condition")
    assert "storage_degraded" in conditions
    sinks = {f"{sink}_{code}" for sink in (KAFKA, HTTP) for code in (DOWN, EVENTS_REFUSED)}
    assert set(DeviceCondition) <= first_column("docs/operations.md", "Device states")
    assert conditions | sinks <= first_column("docs/operations.md", "Conditions")


def test_the_heartbeats_fields() -> None:
    kinds = (
        status.StatusFields, status.BufferFigures, status.DevicesFigures, status.DeviceFigures,
        status.ConfigErrorsFigures, status.ConfigErrorFigures, status.ConditionFigures,
    )  # fmt: skip
    names = {field.name for kind in kinds for field in fields(kind)} - {"all"}
    assert names <= quoted("docs/operations.md")


def test_commands_and_their_answers() -> None:
    groups = (
        StatusCommands(Mock(), Mock()), ConfigCommands(Mock()), PauseCommands(Mock(), Mock(), Mock()),
        ReadCommands(Mock()), WriteCommands(Mock(), Mock()), ProcessCommands(Mock(), Mock()),
        BufferCommands(Mock(), {}), SupportCommands(Mock(), Mock()),
    )  # fmt: skip
    assert {type(group).__name__ for group in groups} == classes_with("handlers")
    names = {name for group in groups for name in group.handlers()}
    codes = constants(1, "CommandFailed", "turn_away") | constants(0, "_rejected") | constants(2, "Outcome")
    assert {"id_conflict", "unknown_tag"} <= codes
    assert {*names, *codes, *get_args(ResponseStatus)} - {"success"} <= quoted("docs/commands.md")


def test_types_orders_qualities_and_protocols() -> None:
    aliases = {*datatypes._ALIASES, *registry._ALIASES}
    protocols = {*registry._DRIVERS, registry.PLC_ETHERNET}
    assert {*DataType, *ByteOrder, *Quality, *aliases, *protocols} <= quoted("docs/protocols.md")


def test_the_documents_fields() -> None:
    models = (ConfigDocument, DeviceConfig, TagConfig, Thresholds, Location)
    names = {field.alias or name for model in models for name, field in model.model_fields.items()}
    assert names <= quoted("docs/fleet.md")


def test_the_fields_of_a_modbus_connection() -> None:
    names = {field.name for field in fields(ModbusTcpConnection)} - {"timeout_s"}
    assert {*names, "ip", "address", "slave_id", "station"} <= quoted("docs/modbus.md")


def test_exit_statuses() -> None:
    assert (EXIT_FAULT, EXIT_SETTINGS, EXIT_IN_USE) == (1, 2, 3)
    header, _, run, *_ = (line for line in page("docs/operations.md").splitlines() if line.startswith("|"))
    assert re.findall(r"\d", header) == ["0", "1", "2", "3"]
    assert ["signal" in run, "fault" in run, "settings" in run, "in use" in run] == [True] * 4


@pytest.mark.parametrize("typed", [typed for typed, command in CLI.items() if not below(command)])
def test_every_command_has_its_exit_statuses(typed: str) -> None:
    table = page("docs/operations.md").partition("## The doctor")[0]
    listed = set(re.findall(r"`([a-z -]+?)(?: …)?`", " ".join(re.findall(r"^\| (`[^|]+) \|", table, re.MULTILINE))))
    command = typed.removeprefix("edge-collector ")
    assert listed & {command, command.partition(" ")[0]}


def test_every_variable_of_the_compose_files_is_told() -> None:
    files = (ROOT / "docker").glob("docker-compose.*.yml")
    taken = {name for file in files for name in re.findall(r"^[^#]*\$\{(\w+)", file.read_text("utf-8"), re.MULTILINE)}
    told = {word.partition("=")[0] for word in quoted("docs/containers.md")}
    assert "PAGE_ADDRESS" in taken
    assert taken - told - {*VARIABLES} == set()


def test_every_folder_of_the_data_folder_is_told() -> None:
    made = {"config", "commands", AUDIT_FOLDER, "outbox", "history", "alarms", "opcua", TOKEN_FILE}
    assert {name for name in made if f"data/{name}" not in page("docs/operations.md")} == set()


def test_variables_are_spelt_as_they_are() -> None:
    prefixes = tuple({name.partition("_")[0] + "_" for name in VARIABLES})
    words = {word.partition("=")[0] for each in PAGES for word in quoted(str(each.relative_to(ROOT)))}
    spelt = {word for word in words if word.startswith(prefixes) and word.isupper()}
    assert spelt - {f"{name}{suffix}" for name in VARIABLES for suffix in ("", "_FILE")} == set()


@pytest.mark.parametrize("where", PAGES, ids=lambda each: each.name)
def test_links_lead_somewhere(where: Path) -> None:
    for link in links_of(where):
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        target = (where.parent / path).resolve() if path else where
        assert target.exists(), link
        assert not anchor or anchor in anchors_of(target), link


@pytest.mark.parametrize("where", PAGES, ids=lambda each: each.name)
def test_files_of_the_source_are_where_the_page_says(where: Path) -> None:
    named = re.findall(rf"`((?:{PACKAGES})/[\w/.-]*)`", where.read_text("utf-8"))
    made = {block.attributes.get("into") for block in blocks_of(where)}
    assert [path for path in named if path not in made and not (ROOT / path).exists()] == []


def test_every_page_can_be_found_from_the_readme() -> None:
    index = ROOT / "docs" / "index.md"
    first_pages = {index, *(ROOT / name for name in ("README.ko.md", "CHANGELOG.md", "SECURITY.md"))}
    assert first_pages <= linked_from(ROOT / "README.md")
    assert index in linked_from(ROOT / "README.ko.md")
    assert set(PAGES) - {index} <= linked_from(index)


def linked_from(where: Path) -> set[Path]:
    """The files that a page leads to."""
    return {(where.parent / link.partition("#")[0]).resolve() for link in links_of(where)}


ROWS = {"B": 15, "D": 14, "C": 5, "R": 6, "K": 7}
FAULTS = [f"{kind}{number}" for kind, last in ROWS.items() for number in range(1, last + 1)]


def test_each_fault_has_a_test_of_its_name_and_the_table_says_where() -> None:
    written = dict(re.findall(r"^\| ([BDCRK]\d+) \|.*\| ([^|]+) \|$", page("docs/operations.md"), re.MULTILINE))
    found: dict[str, set[str]] = {fault: set() for fault in FAULTS}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for names in re.findall(r"def test_((?:[a-z]\d+_)+)", path.read_text("utf-8")):
            for fault in names.upper().strip("_").split("_"):
                found.get(fault, set()).add(f"`{path.relative_to(ROOT / 'tests').as_posix()}`")
    assert list(written) == FAULTS
    assert {fault: set(files.split(", ")) for fault, files in written.items()} == found
