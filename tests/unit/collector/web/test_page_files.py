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


def test_every_condition_has_words_and_an_advice() -> None:
    chapter = text_of(ROOT / "docs" / "operations.md").partition("## Conditions")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`[^|]+) \|", chapter, re.MULTILINE)
    codes = {code for row in rows for code in re.findall(r"`(\w+)`", row)}
    assert len(codes) > 20
    keys = {re.sub(r"^(kafka|http)_", "sink_", code) for code in codes}
    assert {f"{kind}.{key}" for kind in ("what", "do") for key in keys} - words("en").keys() == set()


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_scripts_are_short_and_import_what_is_there(path: Path) -> None:
    assert text_of(path).count("\n") < 300
    for names, source in re.findall(r'import \{([^}]+)\} from "\./([\w-]+\.js)"', text_of(path)):
        exported = set(re.findall(r"export (?:async )?(?:function|const|class) (\w+)", text_of(PAGE / source)))
        assert {name.strip() for name in names.split(",")} <= exported, source


def palettes() -> dict[str, dict[str, str]]:
    """The colours of both themes by their names."""
    before, after = text_of(PAGE / "style.css").split('data-theme="dark"', 1)
    blocks = {"light": before, "dark": after.partition("@media")[0]}
    return {theme: dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6})", block)) for theme, block in blocks.items()}


def contrast(one: str, other: str) -> float:
    """As WCAG 2 reckons it, from 1 to 21."""

    def luminance(colour: str) -> float:
        digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
        shares = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
        red, green, blue = (s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    dark, bright = sorted((luminance(one), luminance(other)))
    return (bright + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_text_can_be_read_on_every_ground(theme: str) -> None:
    colours = palettes()[theme]
    grounds = ("ground", "card", "sunk", "ok-ground", "warn-ground", "bad-ground", "idle-ground")
    for text in ("text", "muted", "accent", "ok", "warn", "bad", "idle"):
        for ground in grounds:
            assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
    assert contrast(colours["on-accent"], colours["accent"]) >= 4.5
    for ground in grounds[:3]:
        assert contrast(colours["edge"], colours[ground]) >= 3, ground
