"""What else stands before a write: the site's list, the pace, and parameters that are what they must be."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.commands import params
from collector.commands.allow_list import AllowList
from collector.commands.outcome import CommandFailed, Params
from collector.commands.pace import BURST, PER_SECOND, Pace
from collector.config.plan import DevicePlan
from collector.status.board import Board
from collector.storage.errors import DamagedFile, StorageFailed
from collector.storage.paused import note_paused, read_paused
from tests.doubles.clock import FakeClock
from tests.doubles.command_desk import failure_of
from tests.doubles.driver import ScriptedDriver
from tests.doubles.plans import device_plan


@pytest.fixture
def board() -> Board:
    return Board(FakeClock())


@pytest.fixture
def device() -> DevicePlan:
    return device_plan(ScriptedDriver(), [1], device_id="12")  # its name is "PLC 12"


async def allowed(path: Path | None, board: Board, device: DevicePlan, tag: str) -> bool:
    allow_list, failure = AllowList(path, board), None
    try:
        await allow_list.check(device, [tag])
    except CommandFailed as raised:
        failure = raised
    assert failure is None or (failure.status, failure.code, str(path) in str(failure)) == (
        "rejected",
        "not_allowed",
        True,
    )
    return failure is None


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("12/setpoint", True),
        ("# 12/setpoint\n\n", False),
        ("\ufeff  12/set*  \r\n", True),
        ("PLC 12/setpoint", True),
        ("PLC */*", True),
        ("1/setpoint", False),
        ("12/SETPOINT", False),
        ("12/other\n?2/setp[aeiou]int", True),
        ("12/설정", False),
        ("", False),
    ],
)
async def test_s7_a_site_can_say_what_may_be_written(
    lines: str, expected: bool, tmp_path: Path, board: Board, device: DevicePlan
) -> None:
    path = tmp_path / "writable.txt"
    path.write_text(lines, "utf-8")
    assert await allowed(path, board, device, "setpoint") is expected
    assert board.conditions == {}


async def test_s7_a_list_that_can_not_be_read_allows_nothing_and_says_so(
    tmp_path: Path, board: Board, device: DevicePlan
) -> None:
    path = tmp_path / "writable.txt"
    assert not await allowed(path, board, device, "setpoint")
    assert "No such file" in board.conditions["write_list_unreadable"].detail
    for content in (b"\xff\xfe*\0", b"*/*\n" * 300_000):
        path.write_bytes(content)
        assert not await allowed(path, board, device, "setpoint")
        assert set(board.conditions) == {"write_list_unreadable"}
    path.write_text("*/*")
    assert await allowed(path, board, device, "setpoint")
    assert board.conditions == {}
    assert await allowed(None, board, device, "setpoint")


def test_w5_who_floods_a_device_is_told_to_wait() -> None:
    clock = FakeClock()
    pace = Pace(clock)
    for _ in range(BURST):
        pace.take("1", 1)
    with pytest.raises(CommandFailed, match="send it again in 2 s") as refused:
        pace.take("1", 2 * PER_SECOND)
    assert (refused.value.status, refused.value.code) == ("rejected", "busy")
    pace.take("2", BURST)
    clock.advance(2)
    pace.take("1", 2 * PER_SECOND)
    with pytest.raises(CommandFailed):
        pace.take("1", 1)
    clock.advance(3600)
    with pytest.raises(CommandFailed):
        pace.take("1", BURST + 1)
    pace.take("1", BURST)


JSON: st.SearchStrategy[object] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@settings(deadline=None)
@given(
    read=st.sampled_from([params.device_id_of, params.tags_of, params.value_of, params.values_of, params.node_of]),
    sent=st.fixed_dictionaries(
        {}, optional=dict.fromkeys(("device_id", "tags", "tag", "value", "values", "node"), JSON)
    ),
)
def test_w1_whatever_the_parameters_are_they_are_taken_or_refused(
    read: Callable[[Params], object], sent: dict[str, object]
) -> None:
    failure = failure_of(lambda: read(sent))
    if failure is not None:
        assert (failure.status, failure.code) == ("rejected", "invalid_command")
        assert "params." in str(failure)


def test_a_command_has_an_end() -> None:
    names = [f"t{number}" for number in range(params.MAX_READ + 1)]
    assert len(params.tags_of({"tags": names[1:]})) == params.MAX_READ
    with pytest.raises(CommandFailed):
        params.tags_of({"tags": names})
    assert len(params.values_of({"values": dict.fromkeys(names[: params.MAX_WRITTEN], 1)})) == params.MAX_WRITTEN
    with pytest.raises(CommandFailed):
        params.values_of({"values": dict.fromkeys(names[: params.MAX_WRITTEN + 1], 1)})
    assert params.tags_of({"tags": ["a", "b", "a"]}) == ["a", "b"]
    assert params.tags_of({"tags": "a"}) == ["a"]
    assert params.device_id_of({"device_id": 7}) == "7"


def test_a_pause_is_noted_for_good(tmp_path: Path) -> None:
    assert read_paused(tmp_path) == frozenset()
    note_paused(tmp_path, frozenset({"1", "프레스"}))
    assert read_paused(tmp_path) == {"1", "프레스"}
    note_paused(tmp_path, frozenset())
    assert read_paused(tmp_path) == frozenset()
    with pytest.raises(StorageFailed):
        note_paused(tmp_path / "gone", frozenset())


@pytest.mark.parametrize("content", [b"{}", b"[1]", b"\xff", b"[" * 5000, b""])
def test_a_note_of_pauses_that_can_not_be_read_is_set_aside(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "paused.json").write_bytes(content)
    with pytest.raises(DamagedFile, match=r"damaged-1"):
        read_paused(tmp_path)
    assert read_paused(tmp_path) == frozenset()
    assert (tmp_path / "paused.json.damaged-1").read_bytes() == content
