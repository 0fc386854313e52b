"""The tables say what was met, what was missed, and by how much."""

import json
from pathlib import Path

import pytest

from tests.benchmarks.earlier import BadBase, read_base, set_aside
from tests.benchmarks.figures import Figure, Target
from tests.benchmarks.report import print_report, write_json

SLOW = Figure("W1", "CPU per value", "µs", (6.0, 7.0, 8.0), Target("≤", 5), floor=(2.0,))
QUICK = Figure("W1", "latency, p99", "ms", (1.0, 2.0, 3.0), Target("≤", 8), whole=2.5)
CELLS = [
    Figure("scale", "memory", "MB", (350.0,), Target("≤", 300), case="100 × 1,000"),
    Figure("scale", "CPU", "%", (80.0,), case="100 × 1,000"),
]


def test_a_missed_target_is_marked_and_listed_again(capsys: pytest.CaptureFixture[str]) -> None:
    print_report([SLOW, QUICK, *CELLS], {"python": "3.11"}, None)
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]

    assert "CPU per value µs 7 6 … 8 ≤ 5 MISSED 2 3.5" in lines
    assert "latency, p99 ms 2.5 1 … 3 ≤ 8 met" in lines
    assert "100 × 1,000 350 MISSED 80" in lines
    assert "1 of 3 targets met." in lines
    assert "W1: CPU per value [µs]: 7, ≤ 5 wanted" in lines
    assert "scale: 100 × 1,000: memory [MB]: 350, ≤ 300 wanted" in lines


def compared(
    folder: Path, earlier: list[Figure], now: list[Figure], capsys: pytest.CaptureFixture[str], **machine: str
) -> list[str]:
    file = folder / "earlier.json"
    write_json(file, earlier, {"python": "3.11"} | machine)
    print_report(now, {"python": "3.12"} | machine, read_base(file))
    return [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]


def test_an_earlier_result_stands_beside_the_new_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    earlier = [Figure("W1", "CPU per value", "µs", (3.0, 3.5, 5.0), floor=(1.9,)), *CELLS]
    lines = compared(tmp_path, earlier, [SLOW, QUICK, *CELLS], capsys)

    assert "CPU per value µs 7 6 … 8 ≤ 5 MISSED 2 3.5 3.5 +100 % !" in lines
    assert "latency, p99 ms 2.5 1 … 3 ≤ 8 met" in lines
    assert "before 350 80" in lines
    assert "1 of 3 figures (!) lie beyond the spreads of both runs." in lines
    assert "W1: CPU per value [µs]: 3.5 → 7, its floor 1.9 → 2" in lines


def test_the_other_machine_is_told_as_far_as_it_is_another(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = compared(tmp_path, [SLOW], [SLOW], capsys, memory="25 GB")

    assert lines.count("before: 3.11") == 1
    assert [line for line in lines if "25 GB" in line] == ["memory: 25 GB"]


@pytest.mark.parametrize(
    "earlier",
    [(5.0, 5.5, 6.0), (5.0, 5.5, 6.5), (8.0, 9.0, 10.0), (1.0,)],
    ids=["touching", "overlapping", "touching from above", "without a spread"],
)
def test_what_a_spread_explains_is_no_change(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], earlier: tuple[float, ...]
) -> None:
    lines = compared(tmp_path, [Figure("W1", "CPU per value", "µs", earlier)], [SLOW], capsys)

    assert "0 of 1 figures (!) lie beyond the spreads of both runs." in lines


def test_nothing_before_gives_no_change_in_percent(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missed = [Figure("W1", "cycles missed", "", (count,)) for count in (0.0, 2.0)]
    lines = compared(tmp_path, missed[:1], missed[1:], capsys)

    assert "cycles missed 2 0" in lines


def test_a_file_of_another_form_is_refused_by_its_name(tmp_path: Path) -> None:
    file = tmp_path / "other.json"
    for content in ("[]", "{", '{"figures": {}}', '{"machine": {}, "figures": {"W1": {"median": 1}}}'):
        file.write_text(content, encoding="utf-8")
        with pytest.raises(BadBase, match=r"other\.json is no result of this benchmark"):
            read_base(file)


def test_an_earlier_result_is_kept_when_the_new_one_takes_its_name(tmp_path: Path) -> None:
    file = tmp_path / "bench.json"
    file.write_text("earlier", encoding="utf-8")

    assert set_aside(file) == tmp_path / "bench-before.json"
    assert (tmp_path / "bench-before.json").read_text("utf-8") == "earlier"
    assert not file.exists()


def test_the_result_has_the_whole_and_the_spread_of_the_windows(tmp_path: Path) -> None:
    file = tmp_path / "bench.json"
    write_json(file, [QUICK], {"python": "3.11"})

    assert json.loads(file.read_text("utf-8"))["figures"]["W1: latency, p99 [ms]"] == {
        "median": 2.5, "min": 1.0, "max": 3.0, "samples": 3,
        "target": "≤ 8", "met": True, "floor": None, "times_the_floor": None,
    }  # fmt: skip
