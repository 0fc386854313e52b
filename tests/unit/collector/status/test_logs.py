"""What a log line looks like, what never stands in one, and how many there are."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from collector.status.log_limit import PERIOD_S, LineLimit
from collector.status.logs import Log, configure_logs
from tests.doubles.clock import FakeClock

log = structlog.get_logger()


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    before = structlog.get_config()
    yield
    structlog.configure(**before)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


Written = tuple[LineLimit, list[dict[str, object]]]


@pytest.fixture
def written(clock: FakeClock) -> Written:
    lines: list[dict[str, object]] = []

    def keep(logger: object, method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        lines.append(dict(event))
        raise structlog.DropEvent

    limit = LineLimit(clock.monotonic)
    structlog.configure(processors=[limit, keep], cache_logger_on_first_use=False)
    return limit, lines


def state(name: str, condition: str) -> None:
    log.info(f"device is {condition}", id=name, _thing="device")


def test_r4_a_line_is_written_at_once_and_its_repetitions_once_a_minute(written: Written, clock: FakeClock) -> None:
    limit, lines = written
    for _ in range(10 * 60):
        log.warning("refused", path="devices[0]", reason=f"at {clock.monotonic()}")
        clock.advance(1)
        limit.release()
    assert len(lines) == 11
    assert "suppressed" not in lines[0]
    assert lines[1]["suppressed"] == 58
    assert sum(int(str(line.get("suppressed", 0))) + 1 for line in lines) == 10 * 60


def test_r4_all_devices_dead_for_an_hour_are_a_line_each(written: Written, clock: FakeClock) -> None:
    limit, lines = written
    for _ in range(3600 // 5):
        clock.advance(5)
        limit.release()
        if len(lines) < 50:
            for device in range(50):
                state(str(device), "offline")
    assert len(lines) == 50


def test_down_and_back_are_both_written_at_once(written: Written) -> None:
    state("1", "offline")
    state("1", "online")
    assert [line["event"] for line in written[1]] == ["device is offline", "device is online"]


@pytest.mark.parametrize("last", ["offline", "online"])
def test_the_last_word_on_a_flapping_device_is_how_it_is(written: Written, clock: FakeClock, last: str) -> None:
    limit, lines = written
    for turn in range(40):
        state("1", "offline" if turn % 2 == 0 else "online")
        clock.advance(2)
        limit.release()
    state("1", last)
    for _ in range(20):
        clock.advance(5)
        limit.release()
    assert lines[-1]["event"] == f"device is {last}"
    assert len(lines) <= 8
    assert sum(int(str(line.get("suppressed", 0))) + 1 for line in lines) == 41


def test_the_end_of_the_log_holds_nothing_back(tmp_path: Path) -> None:
    written = to_files(tmp_path)
    for turn in range(4):
        state("1", "offline" if turn % 2 == 0 else "online")
    log.info("stopping")
    written.close()
    said = [line.split("] ")[1] for line in lines_of(tmp_path / "edge.log")]
    assert [line.split(" id")[0] for line in said] == [
        "device is offline", "device is online", "stopping", "device is online"
    ]  # fmt: skip
    assert "suppressed=1" in said[-1]


def test_different_devices_do_not_hold_one_another_back(written: Written) -> None:
    for name in "abc":
        state(name, "offline")
    assert len(written[1]) == 3


def test_what_was_quiet_for_a_minute_is_forgotten(written: Written, clock: FakeClock) -> None:
    limit, _ = written
    for device in range(1_000):
        state(str(device), "offline")
    clock.advance(PERIOD_S)
    limit.release()
    assert not limit._things


def lines_of(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def to_files(folder: Path, *, form: str = "text", secrets: tuple[str, ...] = ()) -> Log:
    return configure_logs("INFO", "json" if form == "json" else "text", None, folder=folder, secrets=secrets)


def test_files_hold_all_lines_and_the_errors_once_more(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written = to_files(tmp_path / "logs")
    log.info("연결됨", device="프레스_1")
    log.error("끊김", device="프레스_1")
    log.debug("not at this level")
    written.close()
    assert [line.split("] ")[1].split()[0] for line in lines_of(tmp_path / "logs/edge.log")] == ["연결됨", "끊김"]
    [line] = lines_of(tmp_path / "logs/error.log")
    assert "끊김" in line
    assert "\x1b" not in line
    assert capsys.readouterr().out.count("프레스_1") == 2


def test_json_lines_are_json_with_utc(tmp_path: Path) -> None:
    written = to_files(tmp_path, form="json")
    log.warning("끊김", device="프레스_1")
    written.close()
    line = json.loads(lines_of(tmp_path / "error.log")[0])
    assert (line["event"], line["device"], line["level"]) == ("끊김", "프레스_1", "warning")
    assert line["timestamp"].endswith("Z")


@pytest.mark.parametrize("form", ["text", "json"])
def test_s5_no_secret_is_written_not_even_in_a_traceback(
    tmp_path: Path, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    written = to_files(tmp_path, form=form, secrets=("hunter2-비밀", "hunter2"))
    try:
        raise ValueError("no such user: hunter2-비밀")
    except ValueError as error:
        log.error("failed", url="mqtt://u:hunter2@broker", exc_info=error)
    written.close()
    said = capsys.readouterr().out + "".join(path.read_text(encoding="utf-8") for path in tmp_path.iterdir())
    assert "hunter2" not in said
    assert "ValueError" in said
    assert "***" in said


@pytest.mark.parametrize("form", ["text", "json"])
def test_s23_no_value_forges_a_line_of_the_log_or_moves_the_cursor(
    tmp_path: Path, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    written = to_files(tmp_path, form=form)
    log.warning("refused", path="a\r\n2026-01-01 [error] forged\x1b[2J\x9b2J\u2028", device="프레스 1")
    written.close()
    said = capsys.readouterr().out
    assert said == (tmp_path / "edge.log").read_text(encoding="utf-8")
    assert len(said.splitlines()) == 1
    assert not set(said.strip("\n")) & set("\r\n\x1b\x9b\u2028")
    assert "프레스 1" in said


def test_a_folder_that_can_not_be_written_costs_the_files_only(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    to_files(tmp_path / "file" / "logs").close()
    assert "no log files" in capsys.readouterr().out


def test_r4_s23_files_rotate_and_stay_under_50_mib(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collector.status.log_files.EDGE_LOG_BYTES", 2_000)
    monkeypatch.setattr("collector.status.log_files.ERROR_LOG_BYTES", 1_000)
    written = to_files(tmp_path)
    for number in range(500):
        log.error("line", id=number, filler="x" * 50)
    written.close()
    assert len(list(tmp_path.iterdir())) == 10
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 5 * 3_000
    from collector.status import log_files

    monkeypatch.undo()
    whole = log_files.EDGE_LOG_BYTES * log_files.EDGE_LOG_FILES + log_files.ERROR_LOG_BYTES * log_files.ERROR_LOG_FILES
    assert whole <= 50 << 20
