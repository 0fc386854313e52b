"""What the page is made of: small, complete in both languages, and nothing that would run what others wrote."""

import re
from pathlib import Path

import pytest

from collector.web.files import page_files
from tests.doubles.documentation import ROOT

PAGE = ROOT / "collector" / "web" / "page"
SCRIPTS = sorted(PAGE.glob("*.js"))
LIMIT_BYTES = 200_000


def text_of(path: Path) -> str:
    return path.read_text("utf-8")


def words(language: str) -> dict[str, str]:
    """The texts of a language by their keys."""
    found = re.findall(r'(?:"([\w.]+)"|(\b\w+)): "((?:[^"\\]|\\.)*)"', text_of(PAGE / f"words-{language}.js"))
    return {quoted or bare: words for quoted, bare, words in found}


def test_it_is_small() -> None:
    assert sum(path.stat().st_size for path in PAGE.iterdir()) < LIMIT_BYTES
    assert {path.name for path in PAGE.iterdir()} == page_files().keys()


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_no_text_can_become_markup_or_code(path: Path) -> None:
    forbidden = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|srcdoc"
    assert re.findall(forbidden, text_of(path)) == []


@pytest.mark.parametrize("path", sorted(PAGE.iterdir()), ids=lambda path: path.name)
def test_nothing_is_fetched_from_elsewhere_and_nothing_is_inline(path: Path) -> None:
    text = text_of(path).replace("http://www.w3.org/2000/svg", "")
    assert re.findall(r"(?:src|href|url|from|import)\W{1,3}(?:https?:)?//", text) == []
    if path.suffix == ".html":
        assert re.findall(r"<style|\sstyle=|\son\w+=|<script>", text) == []


def test_both_languages_say_the_same_things() -> None:
    english, korean = words("en"), words("ko")
    assert len(english) > 200
    assert english.keys() == korean.keys()
    for key, text in english.items():
        assert set(re.findall(r"\{\w+\}", text)) == set(re.findall(r"\{\w+\}", korean[key])), key


def test_every_key_that_is_used_has_words() -> None:
    used = {key for path in SCRIPTS for key in re.findall(r'\bt\("([\w.]+)"', text_of(path))}
    assert len(used) > 80
    assert used - words("en").keys() == set()


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_scripts_are_short_and_import_what_is_there(path: Path) -> None:
    assert text_of(path).count("\n") < 300
    for names, source in re.findall(r'import \{([^}]+)\} from "\./([\w-]+\.js)"', text_of(path)):
        exported = set(re.findall(r"export (?:async )?(?:function|const|class) (\w+)", text_of(PAGE / source)))
        assert {name.strip() for name in names.split(",")} <= exported, source
