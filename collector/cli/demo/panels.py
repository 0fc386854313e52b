"""The parts of the live view."""

from datetime import datetime

from rich.console import RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from collector.cli.demo.brokers import HOST
from collector.cli.demo.figures import Latest
from collector.cli.demo.hall import EDGE_ID
from collector.cli.demo.scene import Phase, Scene
from collector.cli.demo.wording import span
from collector.status.board import DeviceCondition, DeviceState

_COLOURS = {DeviceCondition.ONLINE: "green", DeviceCondition.DEGRADED: "yellow"}
_LEVELS = {"warning": "yellow", "error": "red", "critical": "bold red"}
_WIDE = 100
_VERY_WIDE = 116
_TIME_OF_DAY = 8
_FRAME = "bright_black"


def framed(content: RenderableType, title: str, height: int | None = None) -> Panel:
    """A panel as all of them look."""
    heading = Text(title, style="bold")
    return Panel(content, title=heading, title_align="left", border_style=_FRAME, padding=(0, 1), height=height)


def title_line(scene: Scene, width: int) -> RenderableType:
    """Who this is, for how long, and how fast it goes."""
    now, course = scene.now, scene.course
    until = "" if course.duration_s is None else f" of {span(course.duration_s)}"
    rates = f"{scene.figures.cycles_per_s(now):.1f} msg/s · {scene.figures.values_per_s(now):.0f} values/s"
    last = "ending …" if scene.phase is Phase.ENDING else "Ctrl-C ends"
    grid = Table.grid(expand=True)
    grid.add_column(no_wrap=True)
    grid.add_column(justify="right", no_wrap=True)
    who = f" edge-collector demo · {EDGE_ID}" if width >= _WIDE else " edge-collector demo"
    grid.add_row(who, f"{span(scene.elapsed_s)}{until} · {rates} · {last} ")
    grid.style = "bold white on blue"
    return grid


def devices_panel(scene: Scene, width: int) -> Panel:
    """A line a device."""
    roomy, wide = width >= _WIDE, width >= _VERY_WIDE
    table = Table(box=None, expand=True, header_style="dim", padding=(0, 1, 0, 0))
    table.add_column("device", no_wrap=True, ratio=None if roomy else 1)
    table.add_column("protocol", no_wrap=True, min_width=10)
    table.add_column("where" if roomy else "port", no_wrap=True, min_width=6, ratio=1 if roomy else None)
    table.add_column("state", no_wrap=True, min_width=8)
    table.add_column("last cycle", no_wrap=True, min_width=10 if wide else 8)
    table.add_column("cycles/s" if wide else "/s", justify="right", no_wrap=True, min_width=4)
    table.add_column("requests" if wide else "req", justify="right", no_wrap=True, min_width=3)
    table.add_column("tags good" if wide else "good", justify="right", no_wrap=True)
    table.add_column("bad", justify="right", no_wrap=True)
    for device in scene.devices:
        latest = scene.figures.devices.get(device.id, Latest())
        table.add_row(*_device_row(device, latest, latest.cycles_per_s(scene.now), width))
    return framed(table, "Devices")


def _device_row(device: DeviceState, latest: Latest, cycles_per_s: float, width: int) -> tuple[RenderableType, ...]:
    colour = _COLOURS.get(device.condition, "red")
    return (
        Text(device.name, style="bold"),
        latest.protocol,
        latest.where if width >= _WIDE else _port(latest.where),
        Text.assemble(("● ", colour), (device.condition.value, colour)),
        _time_of_day(latest.stamp_ms, tenths=width >= _VERY_WIDE),
        f"{cycles_per_s:.1f}",
        str(device.requests_per_cycle),
        Text(str(latest.good), style="green"),
        Text(str(latest.bad), style="red" if latest.bad else "dim"),
    )


def _time_of_day(stamp_ms: int, *, tenths: bool) -> str:
    if not stamp_ms:
        return "–"
    when = datetime.fromtimestamp(stamp_ms / 1000).astimezone()
    return f"{when:%H:%M:%S}" + (f".{when.microsecond // 100_000}" if tenths else "")


def _port(where: str) -> str:
    """``:4840`` of ``127.0.0.1:4840 unit 1``; nothing of what has none."""
    return where.removeprefix(HOST).partition(" ")[0] if where.startswith(HOST) else ""


def events_panel(scene: Scene, rows: int) -> Panel:
    """The newest events, the last at the bottom."""
    grid = Table.grid(padding=(0, 2, 0, 0), expand=True)
    grid.add_column(style="dim", no_wrap=True, width=_TIME_OF_DAY)
    grid.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
    for line in list(scene.ring.lines)[-rows:]:
        grid.add_row(line.time, Text(line.text, style=_LEVELS.get(line.level, "")))
    return framed(grid, "Events")


def hints_panel(scene: Scene, *, tall: bool) -> RenderableType:
    """What to try: all of it, or the first in one line."""
    if tall:
        return framed(Text("\n".join(scene.hints), no_wrap=True, overflow="ellipsis"), "Try it")
    return Text(f" try: {scene.hints[0]}", style="dim", no_wrap=True, overflow="ellipsis")
