"""Every example in the documentation does what the page says.

A fenced block's info string begins with the language, for the git host, and says what the block is:

==================  ================================================================================================
``json document``   a whole document; ``json device`` one device, ``json tags`` the tags of a Modbus device. All of it
                    is used, but for the JSON paths in ``refused=a,b``; read leniently are those in ``read=a,b``
``json nodocument`` no configuration at all
``json data`` …     payloads (status, will, farewell, event, command, response): see `test_docs_payloads`
``env``             settings that start; ``env part`` some of them
``sh run``          commands that end, with the status ``exit=2`` or 0; with ``until=words`` one that goes on
``sh make``         targets of the Makefile
``http``            a GET whose JSON has the key ``get=key``
``python``          executed, the blocks of a page one after the other
``python step``     goes ``into=file``, ``toml step`` likewise: see `test_docs_new_protocol`
``text``            output and pictures; not tried
==================  ================================================================================================

``file=name`` saves a block for the commands after it. The ports 1883, 8080, 5020 and 2004 stand for free ones.
"""

import json
import subprocess
from pathlib import Path

import pytest

from collector.config.plan import Plan
from collector.config.planner import PlanOptions, plan_document
from collector.settings import load_settings
from fleet_client.errors import NotAConfig
from fleet_client.reading import read_document
from tests.doubles.documentation import PAGES, ROOT, Block, all_blocks, blocks_of
from tests.doubles.walkthrough import Walkthrough

EDGE_IDS = ("edge-spifox-001", "spifox-001")
PREFIXES = {"json document": "", "json device": "devices[0].", "json tags": "devices[0].tags"}
PAYLOADS = {f"json {kind}" for kind in ("data", "status", "will", "farewell", "event", "command", "response")}
STEPS = {"sh run", "http", "python"}
CHANGES = {"python step", "toml step"}
KINDS = {*PREFIXES, *PAYLOADS, *STEPS, *CHANGES, "json nodocument", "env", "env part", "sh make", "text"}
NEEDED = "EDGE_SERVER_URL=http://127.0.0.1:1\nMQTT_BROKER_URL=mqtt://127.0.0.1:1\nDEVICE_ID=edge-1\n"


def of_kind(*kinds: str) -> list[object]:
    """The blocks of some kinds, as parameters of a test."""
    return [pytest.param(block, id=block.where) for block in all_blocks() if block.kind in kinds]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_block_says_what_it_is(page: Path) -> None:
    unknown = [f"{block.where}: {block.kind!r}" for block in blocks_of(page) if block.kind not in KINDS]
    assert unknown == []


@pytest.mark.parametrize("block", of_kind(*PREFIXES))
def test_a_document_is_read_as_the_page_says(block: Block) -> None:
    plan, prefix = planned(block), PREFIXES[block.kind]
    assert sorted({problem.path for problem in plan.problems}) == [prefix + path for path in block.listed("refused")]
    assert sorted({remark.path for remark in plan.remarks}) == [prefix + path for path in block.listed("read")]
    assert plan.tag_count > 0


@pytest.mark.parametrize("block", of_kind("json nodocument"))
def test_what_is_no_configuration_is_none(block: Block) -> None:
    with pytest.raises(NotAConfig):
        read_document(block.text.encode(), expected_edge_ids=EDGE_IDS)


@pytest.mark.parametrize("block", of_kind("env", "env part"))
def test_settings_start(block: Block, tmp_path: Path) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text(block.text + (NEEDED if block.kind == "env part" else ""), "utf-8")
    env_file.chmod(0o600)
    assert load_settings(env_file, {}).warnings == ()


@pytest.mark.parametrize("block", of_kind("sh make"))
def test_the_targets_of_make_are_there(block: Block) -> None:
    for line in block.text.splitlines():
        assert line.startswith("make ")
        done = subprocess.run(
            ["bash", "-c", f"{line} --dry-run"], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if any(block.kind in STEPS for block in blocks_of(page))],
    ids=lambda page: page.name,
)
def test_a_page_can_be_followed_step_by_step(page: Path, tmp_path: Path) -> None:
    with Walkthrough(tmp_path) as reader:
        for block in blocks_of(page):
            follow(reader, block)


def follow(reader: Walkthrough, block: Block) -> None:
    """Do what a reader does with a block of this kind."""
    if "file" in block.attributes:
        reader.save(block)
    match block.kind:
        case "sh run" if "until" in block.attributes:
            reader.start(block)
        case "sh run":
            reader.run(block)
        case "http":
            reader.get(block)
        case "python":
            reader.execute(block)


def planned(block: Block) -> Plan:
    """The plan of a whole document, or of a part of one with the rest made up."""
    body = block.text
    if block.kind == "json tags":
        connection = {"host": "192.168.1.10"}
        device = {"id": "1", "protocol": "modbus_tcp", "connection": connection, "tags": json.loads(body)}
        body = json.dumps({"devices": [device]})
    elif block.kind == "json device":
        body = json.dumps({"devices": [json.loads(body)]})
    return plan_document(read_document(body.encode(), expected_edge_ids=EDGE_IDS), PlanOptions(edge_id=EDGE_IDS[0]))
