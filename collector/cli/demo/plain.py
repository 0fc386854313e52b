"""The demo where there is no terminal: a line every two seconds, and each event as it comes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from rich.console import Console

from collector.cli.demo.ring import Line
from collector.cli.demo.scene import Scene
from collector.cli.demo.wording import quantity
from collector.cli.foreground import passed
from collector.status.board import DeviceCondition

EVERY_S = 2.0
SHOWN = (
    ("1", "생산수량"),
    ("2", "토출압력"),
    ("3", "충전수량"),
    ("4", "체결토크"),
    ("5", "충전량"),
    ("6", "CPU사용률"),
)
"""A tag of each machine."""


@asynccontextmanager
async def plain_lines(scene: Scene, console: Console) -> AsyncIterator[None]:
    """Print how it goes until the context ends."""
    ended = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_print_lines(scene, console, ended), name="lines")
        try:
            yield
        finally:
            ended.set()


def print_event(line: Line, console: Console) -> None:
    """One event as a line of its own."""
    level = "" if line.level == "info" else f"{line.level}: "
    console.print(f"{line.time}  {level}{line.text}", markup=False, highlight=False, soft_wrap=True)


def progress_line(scene: Scene) -> str:
    """Everything that matters, in one line."""
    devices = scene.board.devices.values()
    online = sum(device.condition is DeviceCondition.ONLINE for device in devices)
    books = scene.books()
    values = [
        f"{tag} {quantity(latest.values.get(tag), scene.units[device, tag])}"
        for device, tag in SHOWN
        if (latest := scene.figures.devices.get(device)) is not None
    ]
    return " | ".join(
        (
            f"{scene.elapsed_s:6.1f} s",
            f"devices {online}/{len(devices)} online",
            f"broker {scene.broker_words[1]}",
            f"made {books.made}, acknowledged {books.acknowledged}, waiting {books.waiting}, "
            f"received {books.received}, duplicates {books.duplicates}, lost {books.missing}",
            ", ".join(values) or "no values yet",
        )
    )


async def _print_lines(scene: Scene, console: Console, ended: asyncio.Event) -> None:
    while not await passed(ended, EVERY_S):
        scene.note()
        console.print(progress_line(scene), markup=False, highlight=False, soft_wrap=True)
