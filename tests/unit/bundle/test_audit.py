"""Row S21: what the audit says, with a program that plays pip-audit."""

import json
from pathlib import Path

from bundle.audit import audit

GOOD = {"name": "good", "version": "1.0", "vulns": []}
BAD = {
    "name": "bad",
    "version": "2.0",
    "vulns": [
        {"id": "PYSEC-1", "fix_versions": ["2.1", "3.0"], "aliases": ["CVE-1"], "description": "…"},
        {"id": "PYSEC-2", "fix_versions": [], "aliases": [], "description": "…"},
    ],
}
UNHEARD = {"name": "unheard", "skip_reason": "not found"}


def said(folder: Path, *packages: object, output: str | None = None) -> tuple[int, str]:
    """What comes of it if pip-audit finds these packages, or writes `output`."""
    program, report = folder / "pip-audit", folder / "report"
    report.write_text(output if output is not None else json.dumps({"dependencies": packages, "fixes": []}), "utf-8")
    program.write_text(f"#!/bin/sh\ncat {report}\necho no way there >&2\nexit 1\n", "utf-8")
    program.chmod(0o755)
    status, lines = audit(program)
    return status, "\n".join(lines)


def test_s21_a_known_vulnerability_is_named_with_its_fix(tmp_path: Path) -> None:
    assert said(tmp_path, GOOD, BAD) == (
        1,
        "KNOWN VULNERABILITIES in what is shipped:\n"
        "  bad 2.0: PYSEC-1, fixed in 2.1, 3.0\n"
        "  bad 2.0: PYSEC-2, fixed in no version yet\n"
        "audited: 2 packages, 2 known vulnerabilities",
    )


def test_s21_what_nothing_was_learnt_of_never_passes_for_good(tmp_path: Path) -> None:
    assert said(tmp_path, GOOD) == (0, "audited: 1 packages, no known vulnerabilities")
    assert said(tmp_path, GOOD, UNHEARD) == (
        0,
        "audited: 1 packages, no known vulnerabilities\nNOT AUDITED: unheard",
    )
    assert said(tmp_path, UNHEARD, UNHEARD)[1].startswith("NOT AUDITED: nothing was learnt of any package")


def test_s21_without_a_way_to_the_internet_it_says_so_and_fails_nobody(tmp_path: Path) -> None:
    for output in ("", "Traceback ...", "[]"):
        status, lines = said(tmp_path, output=output)
        assert (status, lines) == (0, "NOT AUDITED: pip-audit gave no report: no way there")
    status, (line,) = audit(tmp_path / "none")
    assert (status, line.startswith("NOT AUDITED: ")) == (0, True)
