"""`make audit`: what is known against the packages that are shipped, as pip-audit learns it.

A vulnerability that was published since says nothing about the commit at hand, so nothing else waits for this.
"""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import BaseModel, ValidationError

from bundle.wheels import ROOT

LOCK = ROOT / "docker" / "requirements.lock"
_TOOLS = ROOT / "bundle" / "audit.lock"
_VENV = ROOT / ".venv-audit"
_WITHIN_S = 300.0


class Vulnerability(BaseModel):
    """One of a package; fixed from any of `fix_versions` on."""

    id: str
    fix_versions: list[str] = []


class Audited(BaseModel):
    """One package. With a `skip_reason` nothing was learnt of it."""

    name: str
    version: str = ""
    vulns: list[Vulnerability] = []
    skip_reason: str | None = None


class Report(BaseModel):
    """What ``pip-audit --format json`` writes."""

    dependencies: list[Audited]


def verdict(report: Report) -> tuple[int, list[str]]:
    """The exit status (1: something is known) and the lines for people."""
    known = [f"  {line}" for package in report.dependencies for line in _told(package)]
    learnt = [package for package in report.dependencies if package.skip_reason is None]
    missing = [package.name for package in report.dependencies if package.skip_reason is not None]
    if not learnt:
        return 0, ["NOT AUDITED: nothing was learnt of any package; is there a way to the internet?"]
    lines = ["KNOWN VULNERABILITIES in what is shipped:", *known] if known else []
    lines.append(f"audited: {len(learnt)} packages, {len(known) or 'no'} known vulnerabilities")
    if missing:
        lines.append(f"NOT AUDITED: {', '.join(missing)}")
    return int(bool(known)), lines


def audit(pip_audit: Path, lock: Path = LOCK) -> tuple[int, list[str]]:
    """Have a lock audited; as `verdict`. Where that can not be done, the status is 0 and the line says so."""
    options = ("--disable-pip", "--progress-spinner", "off", "--format", "json")
    try:
        done = subprocess.run(
            [str(pip_audit), "--requirement", str(lock), *options], capture_output=True, timeout=_WITHIN_S, check=False
        )
        return verdict(Report.model_validate_json(done.stdout))
    except subprocess.TimeoutExpired:
        return 0, [f"NOT AUDITED: no answer within {_WITHIN_S:g} s"]
    except OSError as error:
        return 0, [f"NOT AUDITED: pip-audit can not be run: {error}"]
    except ValidationError:
        complaint = done.stderr.decode(errors="replace").strip().splitlines() or ["it said nothing"]
        return 0, [f"NOT AUDITED: pip-audit gave no report: {complaint[-1]}"]


def _told(package: Audited) -> Iterator[str]:
    for each in package.vulns:
        fixed = ", ".join(each.fix_versions) or "no version yet"
        yield f"{package.name} {package.version}: {each.id}, fixed in {fixed}"


def _installed(venv: Path) -> Path:
    """pip-audit in an environment of its own, by hash: it is no part of what the tests or the product run with."""
    program = venv / "bin" / "pip-audit"
    if not program.exists():
        install = ("install", "--quiet", "--disable-pip-version-check", "--require-hashes", "-r", str(_TOOLS))
        subprocess.run([sys.executable, "-m", "venv", "--clear", "--without-pip", str(venv)], check=False)
        subprocess.run([sys.executable, "-m", "pip", "--python", str(venv / "bin/python"), *install], check=False)
    return program


def main(arguments: Sequence[str]) -> int:
    """``python -m bundle.audit [LOCK]``; returns the exit status."""
    status, lines = audit(_installed(_VENV), Path(arguments[0]) if arguments else LOCK)
    print("\n".join(lines))
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
