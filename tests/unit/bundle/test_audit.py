"""Row S21: what the audit says, with a program that plays pip-audit."""

import json
import subprocess
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pytest

from bundle.audit import Acceptance, Status, accepted_in, audit
from bundle.wheels import ROOT

TODAY = date(2026, 4, 17)
GOOD = {"name": "good", "version": "1.0", "vulns": []}
BAD = {
    "name": "bad_one",
    "version": "2.0",
    "vulns": [
        {"id": "PYSEC-1", "fix_versions": ["2.1", "3.0"], "aliases": ["CVE-1"], "description": "…"},
        {"id": "PYSEC-2", "fix_versions": [], "aliases": [], "description": "…"},
    ],
}
UNHEARD = {"name": "unheard", "skip_reason": "not found"}
REASON = "in a part that is never called"


def accepted(known_as: str, package: str = "bad-one", until: date = TODAY) -> Acceptance:
    return Acceptance(package=package, id=known_as, reason=REASON, until=until)


def said(
    folder: Path, *packages: object, output: str | None = None, accepted: Sequence[Acceptance] = ()
) -> tuple[Status, str]:
    """What comes of it if pip-audit finds these packages, or writes `output`."""
    program, report = folder / "pip-audit", folder / "report"
    report.write_text(output if output is not None else json.dumps({"dependencies": packages, "fixes": []}), "utf-8")
    program.write_text(f"#!/bin/sh\ncat {report}\necho no way there >&2\nexit 1\n", "utf-8")
    program.chmod(0o755)
    found = audit(program, accepted, TODAY)
    return found.status, "\n".join(found.lines)


def test_s21_a_known_vulnerability_is_named_with_its_fix(tmp_path: Path) -> None:
    assert said(tmp_path, GOOD, BAD) == (
        Status.KNOWN,
        "KNOWN VULNERABILITIES in what is shipped:\n"
        "  bad_one 2.0: PYSEC-1, fixed in 2.1, 3.0\n"
        "  bad_one 2.0: PYSEC-2, fixed in no version yet\n"
        "audited: 2 packages, 2 known vulnerabilities that are not accepted",
    )


def test_s21_what_is_accepted_is_lived_with_and_told(tmp_path: Path) -> None:
    both = [accepted("CVE-1"), accepted("PYSEC-2")]
    assert said(tmp_path, GOOD, BAD, accepted=both) == (
        Status.CLEAN,
        "accepted in bundle/accepted.toml:\n"
        f"  bad_one 2.0: PYSEC-1, fixed in 2.1, 3.0; until 2026-04-17: {REASON}\n"
        f"  bad_one 2.0: PYSEC-2, fixed in no version yet; until 2026-04-17: {REASON}\n"
        "audited: 2 packages, no known vulnerabilities that are not accepted",
    )


@pytest.mark.parametrize(
    "other", [accepted("PYSEC-2", until=date(2026, 4, 16)), accepted("PYSEC-2", "good"), accepted("PYSEC-3")]
)
def test_s21_after_its_day_or_for_another_package_or_id_it_counts_for_nothing(
    tmp_path: Path, other: Acceptance
) -> None:
    status, lines = said(tmp_path, GOOD, BAD, accepted=[accepted("PYSEC-1"), other])
    assert status is Status.KNOWN
    assert lines.startswith(
        "KNOWN VULNERABILITIES in what is shipped:\n  bad_one 2.0: PYSEC-2, fixed in no version yet"
    )
    assert "1 known vulnerabilities" in lines


def test_s21_the_shipped_list_is_in_order_and_one_that_is_not_says_where(tmp_path: Path) -> None:
    accepted_in()
    file = tmp_path / "accepted.toml"
    file.write_text('[[accepted]]\npackage = "a"\nid = "CVE-1"\nreason = "of no matter here"\n', "utf-8")
    with pytest.raises(ValueError, match=r"accepted\.toml:(.|\n)*until"):
        accepted_in(file)
    file.write_text(file.read_text("utf-8") + "until = 2026-12-31\n", "utf-8")
    assert accepted_in(file)[0].until == date(2026, 12, 31)


def test_s21_what_nothing_was_learnt_of_never_passes_for_good(tmp_path: Path) -> None:
    none = "no known vulnerabilities that are not accepted"
    assert said(tmp_path, GOOD) == (Status.CLEAN, f"audited: 1 packages, {none}")
    assert said(tmp_path, GOOD, UNHEARD) == (Status.NOT_LEARNT, f"audited: 1 packages, {none}\nNOT AUDITED: unheard")
    assert said(tmp_path, BAD, UNHEARD)[0] is Status.KNOWN
    status, lines = said(tmp_path, UNHEARD, UNHEARD)
    assert status is Status.NOT_LEARNT
    assert lines.startswith("NOT AUDITED: nothing was learnt of any package")


def test_s21_without_a_way_to_the_internet_the_status_is_one_of_its_own(tmp_path: Path) -> None:
    for output in ("", "Traceback ...", "[]"):
        status, lines = said(tmp_path, output=output)
        assert (status, lines) == (Status.NOT_LEARNT, "NOT AUDITED: pip-audit gave no report: no way there")
    found = audit(tmp_path / "none", [], TODAY)
    assert found.status is Status.NOT_LEARNT
    assert found.lines[0].startswith("NOT AUDITED: pip-audit can not be run: ")


@pytest.mark.parametrize(("audited", "ends"), [(0, 0), (1, 1), (2, 2), (3, 0), (124, 0), (137, 0)])
def test_s21_ci_fails_by_what_is_known_and_not_for_want_of_a_network(tmp_path: Path, audited: int, ends: int) -> None:
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\n[ "$*" = "-m bundle.audit" ] && exit {audited}\n', "utf-8")
    python.chmod(0o755)
    _, _, audit_of_ci = (ROOT / ".ci" / "run").read_text("utf-8").partition("# --- the audit")
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", f"#{audit_of_ci}"], cwd=tmp_path, check=False)
    assert done.returncode == ends
