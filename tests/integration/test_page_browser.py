"""The page in real Chromium."""

import asyncio
import math
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from collector.status.board import SinkConditions, SinkState
from tests.doubles.browser import tab
from tests.doubles.page_rig import TOKEN, PageRig, plant
from tests.doubles.page_sources import MEAN, PERIOD_S, SWING, HandAlarm

WITHIN_MS = 8_000
expect.set_options(timeout=WITHIN_MS)


@asynccontextmanager
async def polled(page: PageRig, poll: Callable[[int], None]) -> AsyncIterator[None]:
    """`poll` is called ten times a second, with 0, 1, 2 …"""

    async def go() -> None:
        turn = 0
        while True:
            poll(turn)
            turn += 1
            await asyncio.sleep(0.1)

    polling = asyncio.create_task(go())
    try:
        yield
    finally:
        polling.cancel()


@pytest.fixture
async def page(tmp_path: Path) -> AsyncIterator[PageRig]:
    async with PageRig(tmp_path, SITE_TZ="Asia/Seoul") as page:
        page.board.broker.connected = True
        for device in ("1", "2", "3"):
            page.feed(device)
        yield page


async def numbers(locate: Callable[[], Awaitable[str]]) -> list[str]:
    """The texts that it shows one after the other, until there are three different ones."""
    seen: list[str] = []
    async with asyncio.timeout(WITHIN_MS / 1000):
        while len(seen) < 3:
            text = await locate()
            if text not in seen and re.fullmatch(r"[\d,]+", text):
                seen.append(text)
            await asyncio.sleep(0.05)
    return seen


async def test_values_change_live_and_names_that_hurt_are_only_names(page: PageRig) -> None:
    async with polled(page, lambda turn: page.feed("1", 온도=turn)), tab(f"{page.url}/#/device/1") as browser:
        row = browser.locator("tr", has_text="온도")
        seen = await numbers(lambda: row.locator(".value b").inner_text())
        assert [int(text.replace(",", "")) for text in seen] == sorted(int(text.replace(",", "")) for text in seen)
        await expect(browser.get_by_role("link", name="<script>alert(1)</script>")).to_be_visible()
        await expect(browser.locator("td .unit", has_text="<b>bar</b>")).to_be_visible()
        await expect(row.locator(".spark polyline")).to_have_attribute("points", re.compile(r"\d+\.\d+,\d"))
        await browser.goto(f"{page.url}/#/")
        await expect(browser.get_by_text("<img src=x onerror=alert(1)>").first).to_be_visible()
        assert await browser.locator("img, b b, main script").count() == 0


async def test_a_large_counter_keeps_its_digits(page: PageRig) -> None:
    page.feed("2", level=2**63 - 1)
    async with tab(f"{page.url}/#/device/2") as browser:
        await expect(browser.locator("tr", has_text="level").locator(".value b")).to_have_text("9223372036854775807")


async def test_a_device_that_is_away_is_shown_with_its_reason_and_what_to_do(page: PageRig) -> None:
    async with tab(page.url) as browser:
        await expect(browser.locator(".card", has_text="충전라인_S7_02")).to_contain_text("Online")
        page.down("2", "no answer from 192.168.1.20:102 within 3 s")
        trouble = browser.locator(".trouble", has_text="충전라인_S7_02: Offline")
        await expect(trouble).to_contain_text("no answer from 192.168.1.20:102", timeout=5_000)
        await expect(trouble).to_contain_text("Check power, cable and address")
        await expect(browser.locator(".verdict")).to_contain_text("need you")
        page.feed("2")
        await expect(trouble).to_have_count(0)


async def test_one_look_says_that_all_is_well(page: PageRig) -> None:
    document = plant()
    devices = document["devices"]
    assert isinstance(devices, list)
    page.configure({**document, "devices": devices[:3]})

    def poll(turn: int) -> None:
        for device in ("1", "2", "3"):
            page.feed(device)

    async with polled(page, poll), tab(page.url) as browser:
        await expect(browser.get_by_role("heading", level=1)).to_have_text("All is well")
        await expect(browser.locator(".verdict")).to_contain_text("11 tags of 3 devices are read and sent.")
        page.board.broker.connected = False
        await expect(browser.locator(".trouble")).to_contain_text("Nothing is lost")


async def drawn(browser: Page) -> list[tuple[float, float]]:
    """The points of the chart's line, in pixels."""
    path = await browser.locator(".chart .line").get_attribute("d") or ""
    return [(float(x), float(y)) for x, y in re.findall(r"[ML]?([\d.]+) ([\d.]+)", path)]


async def test_the_chart_draws_the_sine_that_the_history_holds(page: PageRig) -> None:
    async with tab(f"{page.url}/#/tag/1/온도") as browser:
        await expect(browser.locator(".facts", has_text="Lowest")).to_contain_text(re.compile(r"Lowest\s*20"))
        points = await drawn(browser)
        assert len(points) > 500
        heights = [y for _, y in points]
        top, bottom = min(heights), max(heights)
        assert bottom - top > 150
        # Half a period apart the curve mirrors itself about its middle.
        width = points[-1][0] - points[0][0]
        figures = {x: MEAN + SWING * ((bottom + top) / 2 - y) / ((bottom - top) / 2) for x, y in points}
        step = width / PERIOD_S  # ten minutes fill the chart: pixels a second
        phase = math.asin(max(-1, min(1, (figures[points[0][0]] - MEAN) / SWING)))
        rising = figures[points[10][0]] > figures[points[0][0]]
        for x, figure in list(figures.items())[:: len(points) // 50]:
            angle = 2 * math.pi * (x - points[0][0]) / step / PERIOD_S
            expected = MEAN + SWING * math.sin(phase + angle if rising else math.pi - phase + angle)
            assert figure == pytest.approx(expected, abs=2)
        await expect(browser.locator(".limits .high_high")).to_contain_text("78")
        await expect(browser.locator(".chart")).to_have_attribute("aria-label", re.compile("lowest 20"))


async def test_the_chart_zooms_by_dragging_and_by_keys_and_gives_csv(page: PageRig) -> None:
    async with tab(f"{page.url}/#/tag/1/온도") as browser:
        await expect(browser.locator(".facts", has_text="Lowest")).to_be_visible()
        box = await browser.locator(".chart").bounding_box()
        assert box is not None
        await browser.mouse.move(box["x"] + 300, box["y"] + 100)
        await expect(browser.locator(".tip")).to_be_visible()
        await browser.mouse.down()
        await browser.mouse.move(box["x"] + 600, box["y"] + 100)
        await browser.mouse.up()
        live = browser.get_by_role("button", name="Live")
        await expect(live).to_have_attribute("aria-pressed", "false")
        async with asyncio.timeout(WITHIN_MS / 1000):
            while not 100 < len(await drawn(browser)) < 300:
                await asyncio.sleep(0.05)
        async with browser.expect_download() as download:
            await browser.get_by_role("link", name="CSV").click()
        text = (await (await download.value).path()).read_text("utf-8-sig")
        assert text.startswith("start,min,max,mean")
        await browser.locator(".chart").press("0")
        await expect(live).to_have_attribute("aria-pressed", "true")
        await browser.get_by_role("button", name="7 days").click()
        await expect(browser.get_by_text("windows of")).to_be_visible()
        await expect(browser.locator(".band")).to_have_attribute("d", re.compile("Z"))


async def test_the_charts_axis_has_the_round_hours_of_the_site_wherever_the_reader_is(page: PageRig) -> None:
    async with tab(f"{page.url}/#/tag/1/온도", time_zone="Asia/Kolkata") as browser:
        await browser.get_by_role("button", name="1 day").click()
        hours = browser.locator(".chart .grid text", has_text=re.compile(r"^\d\d:\d\d$"))
        await expect(hours.nth(5)).to_be_visible()
        assert {text[-3:] for text in await hours.all_text_contents()} == {":00"}


async def test_an_alarm_is_raised_seen_and_acknowledged_with_the_token(page: PageRig) -> None:
    assert page.alarms is not None
    async with tab(f"{page.url}/#/alarms") as browser:
        await expect(browser.get_by_text("No alarm is active.")).to_be_visible()
        alarm = HandAlarm(
            1, "1", "CASE프레스_PLC_01", "온도", "high", value=74.2, limit=70, since_ms=page.clock.wall_ms()
        )
        page.alarms.raise_alarm(alarm)
        card = browser.locator("article", has_text="CASE프레스_PLC_01 온도: too high")
        await expect(card).to_contain_text("74.2 °C, limit 70")
        await expect(browser.get_by_role("link", name="Alarms 1")).to_be_visible()
    async with tab(f"{page.url}/login#token={TOKEN}") as browser:
        await expect(browser.get_by_role("heading", level=1)).to_contain_text("need you")
        assert TOKEN not in browser.url
        await browser.get_by_role("link", name="Alarms").first.click()
        await browser.get_by_role("button", name="Acknowledge").click()
        await expect(browser.locator("article")).to_contain_text("acknowledged")
    assert page.alarms.acknowledged_by == [(1, "page")]


async def test_an_alarm_shows_at_its_tag_for_as_long_as_it_holds(page: PageRig) -> None:
    assert page.alarms is not None
    alarm = HandAlarm(1, "1", "CASE프레스_PLC_01", "온도", "high", since_ms=page.clock.wall_ms())
    async with tab(f"{page.url}/#/device/1") as browser:
        row = browser.locator("tr", has_text="온도")
        await expect(row.locator(".quality")).to_have_text("good")
        page.alarms.raise_alarm(alarm)
        await expect(row.locator(".quality")).to_have_text("good · too high")
        page.alarms.raise_alarm(replace(alarm, id=2, level="high_high"))
        await browser.goto(f"{page.url}/#/tag/1/온도")
        await expect(browser.locator(".state")).to_have_text("far too high")
        page.alarms.alarms.clear()
        await expect(browser.locator(".state")).to_have_text("good")


async def test_limits_are_set_after_the_token_was_typed(page: PageRig) -> None:
    async with tab(f"{page.url}/#/tag/2/level", tolerated="401") as browser:
        await browser.get_by_label("Too high", exact=True).fill("5.5")
        await browser.get_by_role("button", name="Save").click()
        dialog = browser.get_by_role("dialog")
        await expect(dialog).to_contain_text("edge-collector page-url")
        await dialog.get_by_label("Token").fill("wrong")
        await dialog.get_by_role("button", name="Log in").click()
        await expect(dialog).to_contain_text("This is not the token.")
        await dialog.get_by_label("Token").fill(TOKEN)
        await dialog.get_by_role("button", name="Log in").click()
        await expect(browser.locator(".limits .high")).to_contain_text("5.5")
        await expect(browser.get_by_text("They hold on this gateway.")).to_be_visible()


async def test_korean_by_the_browser_and_by_the_switch(page: PageRig) -> None:
    async with tab(page.url, language="ko-KR", width=390, height=844, theme="dark") as browser:
        await expect(browser.locator("html")).to_have_attribute("lang", "ko")
        await expect(browser.get_by_role("link", name="알람").first).to_be_visible()
        await expect(browser.locator(".card").first).to_contain_text("온라인")
        assert await browser.evaluate("document.documentElement.scrollWidth") == 390
        await browser.get_by_role("button", name="Show in English").click()
        await expect(browser.locator(".card").first).to_contain_text("Online")
        await browser.reload()
        await expect(browser.locator("html")).to_have_attribute("lang", "en")
        dark = await browser.evaluate("getComputedStyle(document.body).backgroundColor")
        await browser.get_by_role("button", name="Switch between light and dark").click()
        assert await browser.evaluate("getComputedStyle(document.body).backgroundColor") != dark


async def test_every_view_opens_without_an_error_and_can_be_reached_by_keys(page: PageRig) -> None:
    page.events.note("gap", {"reason": "limit", "count": 3})
    alarm = {"device_id": "1", "tag": "온도", "level": "high", "state": "raised", "value": 71.5, "limit": 70}
    page.events.note("alarm", alarm)
    page.events.note("alarm", {"device_id": "2", "level": "away", "state": "left"})
    page.lines.note("warning", "[warning] <b>a line</b>")
    for _ in range(3):
        page.trace.note()
    async with tab(page.url) as browser:
        await browser.keyboard.press("Tab")
        await browser.keyboard.press("Enter")
        assert await browser.evaluate("document.activeElement.id") == "main"
        for path, text in {
            "events": "limit", "buffer": "recorded = acknowledged", "config": "devices[3].connection.host",
            "logs": "<b>a line</b>", "alarms": "No alarm is active", "nowhere": "There is no such page",
        }.items():  # fmt: skip
            await browser.goto(f"{page.url}/#/{path}")
            await expect(browser.locator("main")).to_contain_text(text)
        await browser.goto(f"{page.url}/#/events")
        await expect(browser.locator("main")).to_contain_text(
            "CASE프레스_PLC_01 온도: too high (71.5, limit 70), raised"
        )
        await expect(browser.locator("main")).to_contain_text("충전라인_S7_02: The device is away, left")
        await browser.goto(f"{page.url}/#/buffer")
        await expect(browser.locator(".chart .grid text", has_text=re.compile(r"^\d+$")).first).to_be_visible()
        assert not [text for text in await browser.locator(".chart text").all_text_contents() if text.startswith("-")]
        await browser.goto(f"{page.url}/docs")
        await expect(browser.locator("main")).to_contain_text("/api/v1/metrics/history")


async def test_a_further_sink_that_is_down_is_told_with_what_to_do(page: PageRig) -> None:
    page.board.sinks["kafka"] = SinkState("kafka:9092", 1 << 30, error="no Kafka broker answers")
    SinkConditions(page.board, "kafka").raise_condition("down", "kafka:9092: no Kafka broker answers")
    page.trace.note()
    async with tab(page.url) as browser:
        await expect(browser.locator("main")).to_contain_text("Kafka takes no messages")
        await browser.goto(f"{page.url}/#/buffer")
        await expect(browser.locator("main")).to_contain_text("kafka:9092: no Kafka broker answers")


async def test_a_thousand_tags_stay_smooth(tmp_path: Path) -> None:
    async with PageRig(tmp_path, plant(tags=1_000)) as page:
        page.feed("1")
        async with polled(page, lambda turn: page.feed("1", 온도=turn)), tab(f"{page.url}/#/device/1") as browser:
            await expect(browser.locator("tbody tr")).to_have_count(1003)
            longest = await browser.evaluate(
                """() => new Promise((done) => {
                  let last = performance.now(), longest = 0, frames = 0;
                  const frame = (at) => {
                    longest = Math.max(longest, at - last);
                    last = at;
                    scrollBy(0, 60);
                    frames++ < 90 ? requestAnimationFrame(frame) : done(longest);
                  };
                  requestAnimationFrame(frame);
                })"""
            )
            assert longest < 2_000, f"a frame took {longest:.0f} ms"  # 60 on a machine that has nothing else to do
            await browser.get_by_role("searchbox").fill("tag 0999")
            await expect(browser.locator("tbody tr:visible")).to_have_count(1)


async def test_the_page_says_when_the_collector_is_gone(page: PageRig) -> None:
    async with tab(page.url, tolerated="ERR_") as browser:
        await expect(browser.locator("#pulse")).to_have_text("live")
        await page.close()
        await expect(browser.locator("#pulse")).to_contain_text("No connection to the collector")
