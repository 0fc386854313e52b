"""The document from a file: variables, YAML, and a change that is noticed without looking."""

import asyncio
import contextlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from collector.config.file import FileSource, read_document_file
from collector.config.planner import PlanOptions
from collector.config.sync import ConfigSync
from collector.status.board import Board
from fleet_client.errors import FleetUnreachable, NotAConfig
from fleet_client.fetched import Fetched
from tests.doubles.clock import FakeClock

ODD = "a#b: \"c\\d\" {e}, 'f' 비밀 - [g] ${h}"


def replaced(file: Path, text: str) -> None:
    """As editors do it: written beside, then renamed."""
    beside = file.with_name("beside")
    beside.write_text(text, "utf-8")
    beside.replace(file)


def rewritten(file: Path, text: str) -> None:
    file.write_text(text, "utf-8")


@pytest.mark.parametrize("how", [replaced, rewritten])
@pytest.mark.parametrize("linked", [False, True])
async def test_a_change_of_the_file_is_applied_at_once(
    tmp_path: Path, how: Callable[[Path, str], None], linked: bool
) -> None:
    real = tmp_path / "real" / "config.json"
    real.parent.mkdir()
    how(real, '{"version": "v1", "devices": []}')
    file = tmp_path / "link.json" if linked else real
    if linked:
        file.symlink_to(real)
    versions: asyncio.Queue[str | None] = asyncio.Queue()
    clock = FakeClock()
    with contextlib.closing(FileSource(file, "edge-1", {})) as source:
        sync = ConfigSync(
            source, None, PlanOptions("edge-1"), lambda plan: versions.put_nowait(plan.version),
            fixed_id=True, interval_s=3600, clock=clock, board=Board(clock),
        )  # fmt: skip
        running = asyncio.create_task(sync.run())
        for version in ("v1", "v2", "v3"):
            assert await asyncio.wait_for(versions.get(), 5) == version
            how(real, json.dumps({"version": f"v{int(version[1]) + 1}", "devices": []}))
        running.cancel()


async def test_other_files_of_the_folder_are_none_of_its_business(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_text("{}")
    with contextlib.closing(FileSource(file, "edge-1", {})) as source:
        await source.fetch(None)
        (tmp_path / "collector.log").write_text("a line")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(source.news(), 0.3)


async def test_a_folder_that_comes_after_the_start_is_watched_once_it_was_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "usb" / "config.json"
    with contextlib.closing(FileSource(file, "edge-1", {})) as source:
        with pytest.raises(FleetUnreachable):
            await source.fetch(None)
        file.parent.mkdir()
        with pytest.raises(FleetUnreachable):
            await source.fetch(None)
        file.write_text('{"devices": []}')
        await asyncio.wait_for(source.news(), 5)
        assert isinstance(await source.fetch(None), Fetched)


@pytest.mark.parametrize("name", ["config.json", "config.yaml"])
def test_a_variable_may_hold_any_character(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    text = {"config.json": '{"devices": [{"password": "x${SECRET}y"}], "n": ${N}}',
            "config.yaml": "# ${MISSING} in a comment\ndevices: [{password: x${SECRET}y}]\nn: ${N}\n"}  # fmt: skip
    file.write_text(text[name], "utf-8")
    read = json.loads(read_document_file(file, {"SECRET": ODD, "N": "7"}))
    assert read["devices"] == [{"password": f"x{ODD}y"}]
    assert str(read["n"]) == "7"
    with pytest.raises(NotAConfig, match="SECRET"):
        read_document_file(file, {"N": "7"})


def test_anchors_that_multiply_are_given_up_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collector.config.file.MAX_BODY_BYTES", 1 << 20)
    file = tmp_path / "config.yaml"
    levels = [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    file.write_text("\n".join(["a0: &a0 [x]", *levels, ""]))
    with pytest.raises(NotAConfig, match="anchors"):
        read_document_file(file, {})
    file.write_text("a: &a [*a]\n")
    with pytest.raises(NotAConfig):
        read_document_file(file, {})


def test_what_is_no_file_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "config.json")
    with pytest.raises(NotAConfig, match="no regular file"):
        read_document_file(tmp_path / "config.json", {})
