"""Figures as a person reads them, and lines drawn of characters."""

from collections.abc import Sequence

from protocols.base import Value

_STEPS = "▁▂▃▄▅▆▇█"
_LEAST_TOP = 20
_UNITS = ("B", "KiB", "MiB", "GiB")


def quantity(value: Value | None, unit: str = "") -> str:
    """``25.40 °C``, ``120,394 개``, ``on``, ``–`` where there is none."""
    match value:
        case None:
            text, unit = "–", ""
        case bool():
            text, unit = "on" if value else "off", ""
        case int():
            text = f"{value:,}"
        case float():
            text = f"{value:,.2f}"
        case list():
            text = f"{len(value)} elements"
        case _:
            text = str(value)
    return f"{text} {unit}".rstrip()


def size(number: float) -> str:
    """``312 B``, ``45 KiB``."""
    for unit in _UNITS[:-1]:
        if number < 1024:
            return f"{number:.0f} {unit}"
        number /= 1024
    return f"{number:.0f} {_UNITS[-1]}"


def span(seconds: float) -> str:
    """``1:05``, ``1:02:30``."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def graph(samples: Sequence[int], width: int, height: int) -> list[str]:
    """All samples in at most `width` columns, drawn upwards from the last of `height` lines.

    Where there are more samples than columns, each shows the highest of its share.
    """
    if not samples or width < 1 or height < 1:
        return []
    share = -(-len(samples) // width)
    tops = [max(samples[start : start + share]) for start in range(0, len(samples), share)]
    steps = height * len(_STEPS)
    scale = (steps - 1) / max(max(tops), _LEAST_TOP)
    levels = [1 + round(top * scale) for top in tops]
    return [
        "".join(_block(level - below) for level in levels) for below in range(steps - len(_STEPS), -1, -len(_STEPS))
    ]


def bar(part: float, whole: float, width: int) -> tuple[str, str]:
    """The filled and the empty end of a bar; anything above nothing shows."""
    filled = min(width, -(-int(part * width) // max(1, int(whole)))) if part > 0 else 0
    return "█" * filled, "░" * (width - filled)


def _block(level: int) -> str:
    """What is seen of a column in one line, in which it is so high."""
    return " " if level <= 0 else _STEPS[min(level, len(_STEPS)) - 1]
