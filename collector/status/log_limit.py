"""At most one line a minute that says the same; what was held back is counted, and the last of it comes later."""

from collections.abc import Callable
from dataclasses import dataclass, field

import structlog
from structlog.typing import EventDict, WrappedLogger

PERIOD_S = 60.0
MAX_THINGS = 10_000
THING = "_thing"
"""Names what a line is about where several texts are about the same: `_thing="broker"` for lost and connected."""

_RELEASED = "_released"
_WHICH_ONE = ("id", "device", "path", "topic", "url", "code", "variable", "command")


@dataclass(slots=True)
class _Thing:
    """When each text about it was last written, and the newest line that was held back."""

    written_at: dict[object, float] = field(default_factory=dict)
    held: tuple[str, EventDict] | None = None
    suppressed: int = 0


class LineLimit:
    """A processor of structlog. Two lines say the same if their texts and what they are about do, not their reasons.

    `release` is to be called every few seconds: it writes, of each thing, the newest line that was held back, so
    that the log's last word on it is how it is. At the end of the log it writes `everything` that is still held back.
    `suppressed` counts those that were not written.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._things: dict[tuple[object, ...], _Thing] = {}

    def __call__(self, logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        text = event.get("event")
        key = (event.pop(THING, text), *(event.get(name) for name in _WHICH_ONE))
        thing = self._things.setdefault(key, _Thing())
        now = self._monotonic()
        released = event.pop(_RELEASED, False)
        if not released and now - thing.written_at.get(text, -PERIOD_S) < PERIOD_S:
            thing.suppressed += thing.held is not None
            thing.held = method, {**event, THING: key[0]}
            raise structlog.DropEvent
        thing.written_at[text] = now
        thing.suppressed += thing.held is not None
        if thing.suppressed:
            event["suppressed"] = thing.suppressed
        thing.held, thing.suppressed = None, 0
        return event

    def release(self, *, everything: bool = False) -> None:
        """Write what has been held back for a minute, or `everything`; forget the things that were quiet as long."""
        now = self._monotonic()
        for key, thing in list(self._things.items()):
            thing.written_at = {text: at for text, at in thing.written_at.items() if now - at < PERIOD_S}
            if thing.held is not None and (everything or thing.held[1].get("event") not in thing.written_at):
                (method, event), thing.held = thing.held, None
                text = event.pop("event")
                getattr(structlog.get_logger(), method)(text, **event, **{_RELEASED: True})
            elif not thing.written_at or len(self._things) > MAX_THINGS:
                del self._things[key]
