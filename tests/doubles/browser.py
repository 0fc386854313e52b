"""A real browser, and what must not happen in it: errors, and requests that leave the machine."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest
from playwright.async_api import ConsoleMessage, Page, Request, async_playwright

CHROMIUM = shutil.which("chromium")


@asynccontextmanager
async def tab(
    url: str,
    *,
    language: str = "en-US",
    width: int = 1440,
    height: int = 900,
    theme: str = "light",
    time_zone: str | None = None,
    tolerated: str | None = None,
) -> AsyncIterator[Page]:
    """A tab of Chromium at `url`; its end checks that all went well, but for what has the `tolerated` text in it.

    Without Chromium the test is skipped; in CI it fails.
    """
    if CHROMIUM is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("there is no chromium")
    troubles: list[str] = []

    def hear(said: ConsoleMessage) -> None:
        if said.type in ("error", "warning"):
            troubles.append(f"console: {said.text}")

    def heed(asked: Request) -> None:
        if urlsplit(asked.url).hostname != "127.0.0.1":
            troubles.append(f"left the machine: {asked.url}")

    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        context = await browser.new_context(
            locale=language,
            viewport={"width": width, "height": height},
            color_scheme="dark" if theme == "dark" else "light",
            timezone_id=time_zone,
        )
        page = await context.new_page()
        page.on("pageerror", lambda error: troubles.append(f"error: {error}"))
        page.on("dialog", lambda dialog: troubles.append(f"dialog: {dialog.message}"))
        page.on("console", hear)
        page.on("request", heed)
        await page.goto(url)
        yield page
        await browser.close()
    assert [each for each in troubles if tolerated is None or tolerated not in each] == []
