"""A `.env` file, read as leniently as people write it; one bad line costs that line."""

import codecs
import io
import re
import shlex
import stat
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from dotenv.parser import parse_stream

from collector.settings.problems import Problem

MAX_BYTES = 1 << 20
DEFAULT = Path(".env")
_NAME = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)")


@dataclass(slots=True)
class Gathered:
    """Texts by variable, with what was wrong or odd about them, and the files that secrets came from."""

    values: dict[str, str] = field(default_factory=dict)
    secret_files: dict[str, Path] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)


def read_env_file(path: Path | None, known: Collection[str]) -> Gathered:
    """The statements of the file; None is the default one, which may be missing. Raises nothing."""
    gathered = Gathered()
    name = str(path or DEFAULT)
    try:
        if (text := _text(path or DEFAULT, gathered)) is not None:
            _read_lines(name, text, known, gathered)
    except FileNotFoundError:
        if path is not None:
            gathered.problems.append(Problem(name, "there is no such file; expected the one named by --env-file"))
    except IsADirectoryError:
        message = "is a folder; expected a file (Docker makes a folder when the file to mount does not exist)"
        gathered.problems.append(Problem(name, message))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no file can have this name"
        gathered.problems.append(Problem(name, f"can not be read: {reason}"))
    return gathered


def open_to_others(path: Path) -> Problem | None:
    """A warning, with the command to type, when anybody on the machine may read the file."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return None
    if not stat.S_ISREG(mode) or not mode & (stat.S_IROTH | stat.S_IWOTH):
        return None
    return Problem(str(path), f"others may read it; type: chmod 600 {shlex.quote(str(path))}")


def _text(path: Path, gathered: Gathered) -> str | None:
    with path.open("rb") as file:
        raw = file.read(MAX_BYTES + 1)
    if warning := open_to_others(path):
        gathered.warnings.append(warning)
    if len(raw) > MAX_BYTES:
        gathered.problems.append(Problem(str(path), "is over 1 MiB; expected lines of NAME=value"))
        return None
    return _decoded(str(path), raw, gathered)


def _decoded(name: str, raw: bytes, gathered: Gathered) -> str | None:
    utf16 = raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    for encoding in ("utf-16",) if utf16 else ("utf-8-sig", "cp949"):
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if encoding != "utf-8-sig":
            gathered.warnings.append(Problem(name, f"is {encoding}, not UTF-8; read all the same, save it as UTF-8"))
        return text
    gathered.problems.append(Problem(name, "is neither UTF-8 nor cp949; save it as UTF-8"))
    return None


def _read_lines(name: str, text: str, known: Collection[str], gathered: Gathered) -> None:
    for number, line in enumerate(re.split(r"\r\n|\r|\n", text), start=1):
        for variable, value in _statements(line):
            if value is None:
                variable, bad = variable if variable in known else name, variable in known
                message = f"line {number} of {name} can not be read; expected NAME=value, quotes in pairs"
                (gathered.problems if bad else gathered.warnings).append(Problem(variable, message))
            elif variable in known and gathered.values.get(variable, value) != value:
                message = f"is set more than once in {name}; line {number} counts"
                gathered.warnings.append(Problem(variable, message))
            if value is not None:
                gathered.values[variable] = value


def _statements(line: str) -> Iterator[tuple[str, str | None]]:
    # Line by line, so that a quote that was never closed does not swallow the lines after it.
    for binding in parse_stream(io.StringIO(line)):
        if binding.key is not None:
            yield binding.key, binding.value
        elif binding.error:
            found = _NAME.match(line)
            yield found[1] if found else "", None
