"""Writes `.env.example` and the variables of `docs/configuration.md` from the settings themselves.

`python -m collector.settings.reference` rewrites both in the source tree; `--check` only tells (exit status 1)
when they are out of date.
"""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from collector.settings.model import SECTIONS, VARIABLES, Settings, variables_of
from collector.settings.reader import Variable

BEGIN, END = "<!-- variables: begin (generated) -->", "<!-- variables: end -->"

_HEAD = """\
# Settings of the edge collector. Copy to .env, fill in the first block, start.
# 이 파일을 .env 로 복사하고 맨 위 항목만 채우면 됩니다. 나머지는 필요할 때만 '#'을 지우고 고치세요.
# Keep it to yourself (chmod 600 .env). A password can stand in a file of its own: MQTT_PASSWORD_FILE=/path"""


_FIRST: Mapping[str, tuple[str, str]] = {
    "EDGE_SERVER_URL": ("http://pipeline:8080", "설정을 내려주는 Fleet 서버 주소"),
    "MQTT_BROKER_URL": ("mqtt://pipeline:1883", "데이터를 보낼 MQTT 브로커 주소"),
    "DEVICE_ID": ("", "이 엣지의 고유 ID (장비마다 다르게)"),
    "COMPANY_CODE": ("", "회사 코드 (비워 두어도 됨)"),
}
"""What must be filled in: a value to start from (none for the id: two machines with one id are an accident)."""


def env_example() -> str:
    """The text of `.env.example`: what must be filled in first, the rest commented out with its default."""
    blocks = [_HEAD, *(_to_fill_in(name) for name in _FIRST)]
    for section in SECTIONS:
        rest = [name for name in variables_of(section) if name not in _FIRST]
        if rest:
            blocks.append("\n".join([f"# ---- {_title(section)} ----", *map(_commented_out, rest)]))
    return "\n\n".join(blocks) + "\n"


def variables_part() -> str:
    """The generated part of `docs/configuration.md`, without its markers."""
    return "\n\n".join("\n".join(_table(section)) for section in SECTIONS)


def with_variables(document: str) -> str:
    """The document with its generated part renewed. Raises ValueError when it has no markers."""
    before, _, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise ValueError(f"expected the lines {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{variables_part()}\n\n{END}{after}"


def _to_fill_in(name: str) -> str:
    value, korean = _FIRST[name]
    return f"# {korean}\n# {VARIABLES[name].meaning}\n{name}={value}"


def _commented_out(name: str) -> str:
    variable = VARIABLES[name]
    expects = variable.reader.expects
    return f"# {variable.meaning} ({expects})\n#{name}={_default(name)}"


def _table(section: type[BaseModel]) -> Iterator[str]:
    yield f"### {_title(section)}"
    yield ""
    yield "| variable | default | expected | meaning |"
    yield "|---|---|---|---|"
    for name, variable in variables_of(section).items():
        yield f"| {_names(name, variable)} | {_shown_default(name)} | {variable.reader.expects} | {variable.meaning} |"


def _names(name: str, variable: Variable) -> str:
    return f"`{name}`, `{name}_FILE`" if variable.secret else f"`{name}`"


def _shown_default(name: str) -> str:
    text = _default(name)
    return f"`{text}`" if text else VARIABLES[name].otherwise or "–"


def _default(name: str) -> str:
    value = Settings.model_fields[name.lower()].default
    if value is None or value is PydanticUndefined or value == ():
        return ""
    if isinstance(value, Path) and not value.is_absolute():
        return f"./{value}"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _title(section: type[BaseModel]) -> str:
    return (section.__doc__ or "").rstrip(".")


def main(arguments: list[str], root: Path = Path(__file__).parents[2]) -> int:
    """Renew both files under `root`, or with `--check` only compare. Returns the exit status."""
    guide, example = root / "docs" / "configuration.md", root / ".env.example"
    wanted = {guide: with_variables(guide.read_text("utf-8")), example: env_example()}
    stale = [path for path, text in wanted.items() if not path.exists() or path.read_text("utf-8") != text]
    for path in stale:
        if "--check" in arguments:
            sys.stderr.write(f"{path.name} is out of date: run python -m collector.settings.reference\n")
        else:
            path.write_text(wanted[path], "utf-8")
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
