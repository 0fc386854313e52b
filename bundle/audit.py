"""`make audit`: what is known against the packages that are shipped, as pip-audit learns it.

What is accepted for a time stands with its reason in `bundle/accepted.toml`; anything else that is known fails CI.
Where it can not be learnt, the status says so: no way to the internet is not the fault of the commit at hand.
"""

import subprocess
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from pathlib import Path

from packaging.utils import canonicalize_name
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bundle.wheels import ROOT

LOCK = ROOT / "docker" / "requirements.lock"
ACCEPTED = ROOT / "bundle" / "accepted.toml"
_TOOLS = ROOT / "bundle" / "audit.lock"
_VENV = ROOT / ".venv-audit"
_WITHIN_S = 300.0


class Status(IntEnum):
    """How it ends. An accident of the program's own is 1 too, as Python has it."""

    CLEAN = 0
    KNOWN = 1
    NOT_LEARNT = 3


class Vulnerability(BaseModel):
    """One of a package; fixed from any of `fix_versions` on."""

    id: str
    aliases: list[str] = []
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


class Acceptance(BaseModel):
    """Something known that is lived with until a day, that day included; `id` may be an alias, as a CVE is."""

    model_config = ConfigDict(extra="forbid")

    package: str
    id: str
    reason: str = Field(min_length=10)
    until: date

    def covers(self, package: Audited, one: Vulnerability, today: date) -> bool:
        """Whether it is this one, and still holds."""
        named = canonicalize_name(self.package) == canonicalize_name(package.name)
        return named and self.id in (one.id, *one.aliases) and today <= self.until


class Acceptances(BaseModel):
    """What `bundle/accepted.toml` holds."""

    model_config = ConfigDict(extra="forbid")

    accepted: list[Acceptance] = []


@dataclass(frozen=True, slots=True)
class Verdict:
    """The exit status, and the lines for people."""

    status: Status
    lines: Sequence[str]


def accepted_in(file: Path = ACCEPTED) -> list[Acceptance]:
    """Those of the file. Raises `ValueError` that says what is wrong in it."""
    try:
        return Acceptances.model_validate(tomllib.loads(file.read_text("utf-8"))).accepted
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from None


def verdict(report: Report, accepted: Sequence[Acceptance], today: date) -> Verdict:
    """What follows from a report."""
    known: list[str] = []
    lived_with: list[str] = []
    for package in report.dependencies:
        for one in package.vulns:
            cover = next((each for each in accepted if each.covers(package, one, today)), None)
            (known if cover is None else lived_with).append(_told(package, one, cover))
    missing = [package.name for package in report.dependencies if package.skip_reason is not None]
    learnt = len(report.dependencies) - len(missing)
    if not learnt:
        return _not_learnt("nothing was learnt of any package; is there a way to the internet?")
    lines = ["KNOWN VULNERABILITIES in what is shipped:", *known] if known else []
    lines += ["accepted in bundle/accepted.toml:", *lived_with] if lived_with else []
    lines.append(f"audited: {learnt} packages, {len(known) or 'no'} known vulnerabilities that are not accepted")
    lines += [f"NOT AUDITED: {', '.join(missing)}"] if missing else []
    return Verdict(Status.KNOWN if known else Status.NOT_LEARNT if missing else Status.CLEAN, lines)


def audit(pip_audit: Path, accepted: Sequence[Acceptance], today: date, lock: Path = LOCK) -> Verdict:
    """Have a lock audited."""
    options = ("--disable-pip", "--progress-spinner", "off", "--format", "json")
    try:
        done = subprocess.run(
            [str(pip_audit), "--requirement", str(lock), *options], capture_output=True, timeout=_WITHIN_S, check=False
        )
        report = Report.model_validate_json(done.stdout)
    except subprocess.TimeoutExpired:
        return _not_learnt(f"no answer within {_WITHIN_S:g} s")
    except OSError as error:
        return _not_learnt(f"pip-audit can not be run: {error}")
    except ValidationError:
        complaint = done.stderr.decode(errors="replace").strip().splitlines() or ["it said nothing"]
        return _not_learnt(f"pip-audit gave no report: {complaint[-1]}")
    return verdict(report, accepted, today)


def _told(package: Audited, one: Vulnerability, cover: Acceptance | None) -> str:
    fixed = ", ".join(one.fix_versions) or "no version yet"
    until = f"; until {cover.until}: {cover.reason}" if cover else ""
    return f"  {package.name} {package.version}: {one.id}, fixed in {fixed}{until}"


def _not_learnt(why: str) -> Verdict:
    return Verdict(Status.NOT_LEARNT, [f"NOT AUDITED: {why}"])


def _installed(venv: Path) -> Path:
    """pip-audit in an environment of its own, by hash: it is no part of what the tests or the product run with."""
    program = venv / "bin" / "pip-audit"
    if not program.exists():
        install = ("install", "--quiet", "--disable-pip-version-check", "--require-hashes", "-r", str(_TOOLS))
        subprocess.run([sys.executable, "-m", "venv", "--clear", "--without-pip", str(venv)], check=False)
        subprocess.run([sys.executable, "-m", "pip", "--python", str(venv / "bin/python"), *install], check=False)
    return program


def main(arguments: Sequence[str]) -> int:
    """``python -m bundle.audit [LOCK]``; returns the exit status, a `Status`."""
    try:
        accepted = accepted_in()
    except ValueError as error:
        sys.exit(f"error: {error}")
    found = audit(_installed(_VENV), accepted, date.today(), Path(arguments[0]) if arguments else LOCK)
    print("\n".join(found.lines))
    return found.status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
