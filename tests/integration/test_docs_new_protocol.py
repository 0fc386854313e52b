"""Who follows docs/adding-a-protocol.md to the letter has a protocol that passes the contract suite.

The page's ``step`` blocks are carried out in a copy of this tree. ``into=file`` says where a block goes: to the end of
the file, which may be new, or with ``after=line`` or ``instead=line`` to that line.
"""

import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.doubles.documentation import ROOT, Block, blocks_of

PAGE = ROOT / "docs" / "adding-a-protocol.md"
LEFT_BEHIND = shutil.ignore_patterns(".*", "__pycache__", "build", "node_modules", "opcua_judge", "cases")
CHECKS = (("ruff", "check", "."), ("ruff", "format", "--check", "."))


def carry_out(step: Block, tree: Path) -> None:
    """Do what the page says with one block."""
    file = tree / step.attributes["into"]
    file.parent.mkdir(parents=True, exist_ok=True)
    text = file.read_text("utf-8") if file.exists() else ""
    anchor = step.attributes.get("after") or step.attributes.get("instead")
    if anchor is None:
        file.write_text(f"{text}\n\n{step.text}" if text else step.text, "utf-8")
        return
    lines = text.splitlines(keepends=True)
    places = [number for number, line in enumerate(lines) if line.strip() == anchor]
    assert len(places) == 1, f"{step.where}: {file.name} has {len(places)} lines {anchor!r}"
    (place,) = places
    margin = " " * (len(lines[place]) - len(lines[place].lstrip()))
    added = textwrap.indent(step.text, margin).splitlines(keepends=True)
    lines[place : place + 1] = added if "instead" in step.attributes else [lines[place], *added]
    file.write_text("".join(lines), "utf-8")


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of this tree in which the page's steps are done."""
    tree = tmp_path_factory.mktemp("steps") / "tree"
    shutil.copytree(ROOT, tree, ignore=LEFT_BEHIND)
    steps = [block for block in blocks_of(PAGE) if block.kind.endswith(" step")]
    assert len(steps) >= 6
    for step in steps:
        carry_out(step, tree)
    return tree


def run(tree: Path, *command: str) -> str:
    """What a command says in the tree, which must be to its liking."""
    environment = {**os.environ, "PYTHONPATH": str(tree)}
    done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    return done.stdout


@pytest.mark.timeout(150)
def test_the_new_protocol_passes_the_contract_suite(tree: Path) -> None:
    suite = (sys.executable, "-m", "pytest", "tests/contract", "-p", "no:cacheprovider")
    said = run(tree, *suite, "-vv", "-k", "Slate or slate")
    assert said.count("PASSED") > 150
    assert "SKIPPED" not in said
    for part in ("test_values", "test_faults", "test_lifecycle", "test_slate"):
        assert f"tests/contract/{part}.py::" in said


@pytest.mark.parametrize("check", CHECKS, ids=" ".join)
def test_it_is_in_good_style(tree: Path, check: tuple[str, ...]) -> None:
    run(tree, sys.executable, "-m", *check)


def test_it_has_found_its_place(tree: Path) -> None:
    run(tree, str(Path(sys.executable).with_name("lint-imports")), "--no-logo", "--no-cache")
