"""The values of the devices, in as many columns as there is room for; what has no room takes its turn."""

from collections.abc import Mapping
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.table import Table
from rich.text import Text

from collector.cli.demo.figures import Latest
from collector.cli.demo.panels import framed
from collector.cli.demo.scene import Scene
from collector.cli.demo.wording import quantity
from protocols.base import Value

_COLUMN = 38
_TURN_S = 4.0
_ARROWS = {1: ("▲", "green"), 0: (" ", ""), -1: ("▼", "red")}


@dataclass(frozen=True, slots=True)
class DeviceValues:
    """One device's column: tag, value, unit, trend."""

    name: str
    rows: tuple[tuple[str, Value | None, str, int], ...]


@dataclass(frozen=True, slots=True)
class ValuesPanel:
    """Fits itself into the room that it is given."""

    devices: tuple[DeviceValues, ...]
    elapsed_s: float

    @classmethod
    def of(cls, scene: Scene) -> "ValuesPanel":
        """The values as of now."""
        devices = tuple(
            _device_values(device.id, device.name, scene.figures.devices[device.id], scene.units)
            for device in scene.devices
            if device.id in scene.figures.devices
        )
        return cls(devices, scene.elapsed_s)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        inner_width, inner_height = options.max_width - 4, (options.height or options.max_height) - 2
        columns = max(1, inner_width // _COLUMN)
        pages = [self.devices[start : start + columns] for start in range(0, len(self.devices), columns)]
        if not pages:
            yield framed(Text("the first values are on their way …", style="dim"), "Values", options.height)
            return
        turn = int(self.elapsed_s / _TURN_S) % len(pages)
        grid = Table.grid(expand=True, padding=(0, 2, 0, 0))
        for _ in pages[turn]:
            grid.add_column(ratio=1)
        grid.add_row(*(_column(device, inner_height) for device in pages[turn]))
        title = "Values" if len(pages) == 1 else f"Values {turn + 1}/{len(pages)}"
        yield framed(grid, title, options.height)


def _device_values(device_id: str, name: str, latest: Latest, units: Mapping[tuple[str, str], str]) -> DeviceValues:
    rows = tuple(
        (tag, value, units.get((device_id, tag), ""), latest.trends.get(tag, 0)) for tag, value in latest.values.items()
    )
    return DeviceValues(name, rows)


def _column(device: DeviceValues, height: int) -> Group:
    table = Table.grid(expand=True, padding=(0, 1, 0, 0))
    table.add_column(no_wrap=True, ratio=1, overflow="ellipsis")
    table.add_column(no_wrap=True, justify="right")
    table.add_column(no_wrap=True, width=1)
    room = height - 1
    shown = device.rows if len(device.rows) <= room else device.rows[: max(0, room - 1)]
    for tag, value, unit, trend in shown:
        arrow, colour = _ARROWS[trend]
        style = "bold red" if value is None else "bold"
        table.add_row(tag, Text(quantity(value, unit), style=style), Text(arrow, style=colour))
    if len(shown) < len(device.rows):
        table.add_row(Text(f"… and {len(device.rows) - len(shown)} more", style="dim"), "", "")
    return Group(Text(device.name, style="bold cyan", no_wrap=True, overflow="ellipsis"), table)
