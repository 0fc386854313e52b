"""`SECURITY.md` names each threat with its tests, and what can be seen in the source alone is looked for there."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from collector import __version__
from tests.doubles.documentation import ROOT

PAGE = (ROOT / "SECURITY.md").read_text("utf-8")
ROWS = [f"S{number}" for number in range(1, 26) if number != 9]
PACKAGES = ("collector", "fleet_client", "protocols", "simulators")
FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__", "system", "popen", "mktemp"}
NAMES_OF_OURS = {"table", "places", "pragma", "oldest"}
"""What may stand in the text of an SQL statement: tables, columns and pragmas of the source itself."""
FORBIDDEN_MODULES = {"pickle", "marshal", "shelve", "dill", "commands", "telnetlib", "xmlrpc"}


def trees() -> Iterator[tuple[Path, ast.Module]]:
    """All of our sources."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield path, ast.parse(path.read_text("utf-8"))


def name_of(call: ast.Call) -> str:
    """``execute`` of ``connection.execute(…)``."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def offences(tree: ast.Module) -> Iterator[str]:
    """What can turn data into a program."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (f"import {each.name}" for each in node.names if each.name.split(".")[0] in FORBIDDEN_MODULES)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            if (node.module or "").split(".")[0] in FORBIDDEN_MODULES:
                yield f"from {node.module}"
        elif isinstance(node, ast.Call):
            yield from _of_call(node)


def _of_call(call: ast.Call) -> Iterator[str]:
    name, plain = name_of(call), isinstance(call.func, ast.Name)
    if name in FORBIDDEN_CALLS and (plain or _owner(call) == "os"):
        yield f"{name}()"
    if name in ("load", "load_all") and _owner(call) == "yaml" and not re.search("Safe|_PlainLoader", ast.dump(call)):
        yield "yaml.load()"
    if any(each.arg == "shell" and getattr(each.value, "value", True) for each in call.keywords):
        yield "shell=True"
    if name in ("execute", "executemany", "executescript") and call.args:
        yield from (f"SQL with {hole} in it" for hole in _holes(call.args[0]) if hole not in NAMES_OF_OURS)


def _holes(statement: ast.expr) -> Iterator[str]:
    """The values in a statement's text; a pragma takes no parameters, and its numbers are reckoned by us."""
    if isinstance(statement, ast.JoinedStr) and not ast.unparse(statement)[2:].startswith("PRAGMA"):
        for part in statement.values:
            if isinstance(part, ast.FormattedValue) and not ast.unparse(part.value).strip("_").isupper():
                yield ast.unparse(part.value)


def _owner(call: ast.Call) -> str:
    return getattr(call.func.value, "id", "") if isinstance(call.func, ast.Attribute) else ""


def test_each_threat_has_tests_of_its_name_and_the_table_says_where() -> None:
    written = dict(re.findall(r"^\| (S\d+) \|.*\| ([^|]+) \|$", PAGE, re.MULTILINE))
    found: dict[str, set[str]] = {row: set() for row in ROWS}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for names in re.findall(r"def test_((?:[a-z]\d+_)+)", path.read_text("utf-8")):
            for row in names.upper().strip("_").split("_"):
                found.get(row, set()).add(f"`{path.relative_to(ROOT / 'tests').as_posix()}`")
    assert list(written) == ROWS
    named = {row: set(files.split(", ")) for row, files in written.items()}
    assert {row: files - found[row] for row, files in named.items() if files - found[row]} == {}


def test_s13_nothing_turns_data_into_a_program() -> None:
    found = {str(path.relative_to(ROOT)): offending for path, tree in trees() if (offending := list(offences(tree)))}
    assert found == {}


def test_s13_the_search_finds_what_it_is_there_to_find() -> None:
    bad = (
        "import pickle", "from marshal import loads", "eval(x)", "os.system(x)", "yaml.load(x)",
        "run(x, shell=True)", "db.execute(f'select {x}')",
    )  # fmt: skip
    assert [text for text in bad if not list(offences(ast.parse(text)))] == []
    assert (
        list(offences(ast.parse("yaml.load(x, Loader=CSafeLoader); db.execute('select ?', [x]); re.compile(x)"))) == []
    )


def test_s1_verification_is_switched_off_in_one_place_only() -> None:
    off = re.compile(r"CERT_NONE|check_hostname\s*=\s*False|verify\s*=\s*False|_create_unverified")
    assert {path.relative_to(ROOT).as_posix() for path, _ in trees() if off.search(path.read_text("utf-8"))} == {
        "collector/delivery/mqtt/options.py"
    }


def test_s22_how_to_report_by_when_and_which_versions_are_repaired() -> None:
    assert all(f"**{term}**" in PAGE for term in ("24 hours", "72 hours", "14 days"))
    assert f"| {'.'.join(__version__.split('.')[:2])} | repaired |" in PAGE


def test_s25_what_lies_on_the_disk_unencrypted_is_said() -> None:
    guide = re.sub(r"\s+", " ", (ROOT / "docs" / "security.md").read_text("utf-8"))
    assert "It is not encrypted: a key beside the lock would protect nothing." in guide
    assert "with the passwords of PLCs in them" in guide
    assert "LUKS" in guide
