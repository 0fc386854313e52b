import subprocess
import sys

import pytest

from collector.crashpoint import CrashPoint, armed

PROGRAM = """
from collector.crashpoint import CrashPoint, passing
for number in range(3):
    passing(CrashPoint.IN_DELETE)
    passing(CrashPoint.IN_COMMIT)
    print(number, flush=True)
"""


def test_the_process_dies_at_the_nth_passing_and_no_earlier() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM], env={"CRASHPOINT": "in-commit:2"}, capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stdout) == (137, "0\n")


def test_without_the_variable_nothing_happens() -> None:
    assert armed({})(CrashPoint.IN_COMMIT) is None


@pytest.mark.parametrize("wanted", ["in-comit:1", "in-commit:often"])
def test_a_point_that_there_is_not_is_refused(wanted: str) -> None:
    with pytest.raises(ValueError, match=r"in-comit|often"):
        armed({"CRASHPOINT": wanted})
