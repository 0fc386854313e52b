"""The live view: a full screen, drawn four times a second."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from rich.console import Console
from rich.layout import Layout
from rich.live import Live

from collector.cli.demo.books_panel import BooksPanel
from collector.cli.demo.panels import devices_panel, events_panel, hints_panel, title_line
from collector.cli.demo.scene import Scene
from collector.cli.demo.values_panel import ValuesPanel
from collector.cli.foreground import passed

FRAME_S = 0.25
_SIDE_WIDTH = 38
_TALL = 34


@asynccontextmanager
async def live_view(scene: Scene, console: Console) -> AsyncIterator[None]:
    """Show the scene until the context ends; then the screen is as it was before."""
    ended = asyncio.Event()
    with Live(console=console, screen=True, auto_refresh=False, redirect_stdout=False, redirect_stderr=False) as live:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_draw_frames(scene, live, ended), name="view")
            try:
                yield
            finally:
                ended.set()


async def _draw_frames(scene: Scene, live: Live, ended: asyncio.Event) -> None:
    while True:
        scene.note()
        screen = draw(scene, live.console.width, live.console.height)
        # Not on the loop: a terminal that is halted (Ctrl-S) takes no characters, and must not halt the collector.
        await asyncio.to_thread(live.update, screen, refresh=True)
        if await passed(ended, FRAME_S):
            return


def draw(scene: Scene, width: int, height: int) -> Layout:
    """The screen as of now; it holds no reference to what may change while it is rendered."""
    tall = height >= _TALL
    hints = hints_panel(scene, tall=tall)
    screen = Layout()
    middle = Layout()
    middle.split_row(Layout(ValuesPanel.of(scene)), Layout(BooksPanel.of(scene), size=_SIDE_WIDTH))
    devices = len(scene.board.devices)
    events = max(5, height // 5)
    screen.split_column(
        Layout(title_line(scene, width), size=1),
        Layout(devices_panel(scene, width), size=max(1, devices) + 3),
        middle,
        Layout(events_panel(scene, events - 2), size=events),
        Layout(hints, size=len(scene.hints) + 2 if tall else 1),
    )
    return screen
