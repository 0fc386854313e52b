"""The demo's page, driven in real Chromium: each button on real processes, and the books add up at the end."""

import re
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest
from playwright.async_api import Locator, Page, expect

from collector.cli.demo.panel.actions import LEAST_TO_DAMAGE
from tests.doubles.browser import tab
from tests.integration.test_demo import Command, running

WITHIN_MS = 60_000
BROKEN_OFF = "ERR_"  # the browser's own word on a page that is gone, at the end of the demo


class Counts(NamedTuple):
    """What the page shows at one moment."""

    recorded: int
    acknowledged: int
    waiting: int
    lost: int


@asynccontextmanager
async def demo_with_page(folder: Path, *options: str, language: str = "en-US") -> AsyncIterator[tuple[Command, Page]]:
    """The demo runs, and its link is open."""
    async with running(folder, "demo", *options) as demo:
        link = await demo.until(r"page +(http://127\.0\.0\.1:\d+/#\S+)", within_s=60)
        async with tab(link[1], tolerated=BROKEN_OFF, language=language) as page:
            await expect(page.locator(".term.recorded dd")).to_have_text(re.compile(r"[1-9]"), timeout=WITHIN_MS)
            yield demo, page


async def counts(page: Page) -> Counts:
    """All four of them of the same moment."""
    said = await page.locator(".balance").inner_text()
    found = [int(number.replace(",", "")) for number in re.findall(r"\d[\d,]*", said)]
    return Counts(*found)


async def counts_until(page: Page, what: str, pattern: str) -> Counts:
    """As soon as one of the counts reads so."""
    await expect(page.locator(f".term.{what} dd")).to_have_text(re.compile(pattern), timeout=WITHIN_MS)
    return await counts(page)


def card(page: Page, name: str) -> Locator:
    """One of the things that can be broken."""
    return page.locator(f"#{name}")


async def says(page: Page, name: str, words: str) -> None:
    """Wait for what a card says of its thing."""
    await expect(card(page, name).locator(".now")).to_contain_text(re.compile(words), timeout=WITHIN_MS)


async def ends_well(demo: Command) -> str:
    """Ctrl-C; what its last words were."""
    children = psutil.Process(demo.process.pid).children(recursive=True)
    demo.process.send_signal(signal.SIGINT)
    await demo.end(within_s=60)
    assert "Traceback" not in demo.said
    assert not any(child.is_running() for child in children)
    return demo.said[demo.said.index("\nmade ") :]


@pytest.mark.timeout(300)
async def test_whatever_a_visitor_breaks_the_books_add_up(tmp_path: Path) -> None:
    async with demo_with_page(tmp_path) as (demo, page):
        await says(page, "broker", "connected")

        await page.get_by_role("button", name="Pull the broker").click()
        await says(page, "broker", "It is away")
        await expect(page.get_by_role("button", name="Damage the buffer")).to_be_enabled(timeout=WITHIN_MS)
        waiting = (await counts(page)).waiting
        assert waiting >= LEAST_TO_DAMAGE

        await page.get_by_role("button", name="Damage the buffer").click()
        await says(page, "damage", "KiB of garbage")
        damaged = await counts_until(page, "lost", r"^[1-9]\d*$")
        assert 0 < damaged.lost < damaged.recorded

        await page.get_by_role("button", name="Bring it back").click()
        await says(page, "broker", "connected")
        drained = await counts_until(page, "waiting", r"^\d$")
        assert drained.acknowledged >= waiting - drained.lost

        await page.get_by_role("button", name="kill -9").click()
        await says(page, "kill", "after 2 kills")
        await says(page, "broker", "connected")
        assert (await counts(page)).recorded > drained.recorded
        await expect(page.locator(".balance")).to_contain_text("the books add up")

        last_words = await ends_well(demo)
    assert "✓ the books add up" in last_words
    assert f"+ {damaged.lost} given up" in last_words
    assert "✓ every hole is named by an event" in last_words
    assert "✗" not in last_words


@pytest.mark.timeout(300)
async def test_a_plc_and_a_document_cost_only_themselves_and_are_mended(tmp_path: Path) -> None:
    async with demo_with_page(tmp_path, "--embedded", language="ko-KR") as (demo, page):
        press = page.locator(".hall li", has_text="CASE프레스_PLC_01")
        others = page.locator(".hall li.ok")
        await expect(others).to_have_count(6, timeout=WITHIN_MS)

        stop = page.get_by_role("button", name="CASE프레스_PLC_01")
        await stop.focus()
        await page.keyboard.press("Enter")
        await expect(stop).to_have_attribute("aria-pressed", "true")
        await expect(press).to_contain_text("오프라인", timeout=WITHIN_MS)
        await expect(others).to_have_count(5)
        await stop.click()
        await expect(press).to_contain_text("온라인", timeout=WITHIN_MS)

        await page.get_by_role("button", name="반쪽 문서 보내기").click()
        await says(page, "config", "거부됨. 마지막 정상 문서를 계속 씁니다: the document is not JSON")
        await expect(others).to_have_count(6)

        await page.get_by_role("button", name="잘못된 장비 보내기").click()
        await says(page, "config", "잘못된 부분만 거부됨.*carrier_pigeon")
        await expect(press).to_contain_text("거부됨", timeout=WITHIN_MS)
        await expect(others).to_have_count(5)

        await page.get_by_role("button", name="정상 문서 보내기").click()
        await says(page, "config", "적용 중")
        await expect(others).to_have_count(6, timeout=WITHIN_MS)
        await expect(page.locator(".balance")).to_contain_text("장부가 맞습니다")

        await the_collectors_own_page_survives_a_kill(page)
        last_words = await ends_well(demo)
        await expect(page.locator("#pulse")).to_contain_text("데모가 끝났습니다", timeout=WITHIN_MS)
        await expect(stop).to_be_disabled()
    assert "Nothing was lost" in last_words
    assert "✗" not in last_words


async def the_collectors_own_page_survives_a_kill(page: Page) -> None:
    """It is one click away, and has none of the buttons."""
    address = await page.get_by_role("link", name="수집기의 화면 열기").get_attribute("href")
    assert address is not None
    async with tab(address, tolerated=BROKEN_OFF) as own:
        await expect(own.locator(".card.ok")).to_have_count(6, timeout=WITHIN_MS)
        assert await own.get_by_role("button", name=re.compile("kill|Pull|Damage")).count() == 0
        await page.get_by_role("button", name="kill -9").click()
        await says(page, "kill", "한 번 죽었다가")
        await expect(own.locator("body.lost")).to_have_count(0, timeout=WITHIN_MS)
        await expect(own.locator(".card.ok")).to_have_count(6, timeout=WITHIN_MS)
