"""Those who see every scan, before deadbands: alarms and history."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from collector.alarms.alarms import Alarms
from collector.app.site import Collector, Site


@asynccontextmanager
async def history(site: Site, collector: Collector) -> AsyncIterator[None]:
    """Keep what is polled, as long as the context is open; nothing of it where `HISTORY_MAX_MB` is 0."""
    settings = site.settings
    if not settings.history_max_mb:
        yield
        return
    from collector.history.history import History  # off costs nothing

    async with History.open(
        settings.data_dir / "history",
        limit_bytes=settings.history_max_mb << 20,
        raw_hours=settings.history_raw_hours,
        zone=settings.site_tz,
        clock=site.clock,
        board=site.board,
    ) as kept:
        collector.history = kept
        collector.on_scan.append(kept.record)
        collector.on_plan.append(kept.follow)
        yield


@asynccontextmanager
async def alarms(site: Site, collector: Collector) -> AsyncIterator[None]:
    """Hold limits and devices against what is polled, as long as the context is open."""
    tell = partial(site.tell, collector.outbox, "alarm")
    folder = site.settings.data_dir / "alarms"
    async with Alarms.open(folder, tell=tell, clock=site.clock, board=site.board) as watching:
        collector.alarms = watching
        collector.on_scan.append(watching.look)
        collector.on_plan.append(watching.follow)
        site.board.on_change.append(watching.look_at)
        yield
