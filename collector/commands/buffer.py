"""`clear_buffer`: what waits is given up, on somebody's word."""

from collections.abc import Mapping

from collector.commands.outcome import CommandFailed, Handler, Params
from collector.delivery.outbox import Outbox
from collector.storage.errors import StorageFailed

_NOTHING = {"messages": 0, "bytes": 0}


class BufferCommands:
    """Data alone is cleared: events and responses still go out, and gap events name what went.

    `sinks` are the outboxes of the further ways out, by name.
    """

    def __init__(self, outbox: Outbox, sinks: Mapping[str, Outbox]) -> None:
        self._outboxes = {"the broker": outbox, **sinks}

    def handlers(self) -> dict[str, Handler]:
        """By the name of the command."""
        return {"clear_buffer": self._clear_buffer}

    async def _clear_buffer(self, params: Params) -> Mapping[str, object]:
        cleared: list[dict[str, int]] = []
        troubles: list[str] = []
        for name, outbox in self._outboxes.items():
            try:
                dropped = await outbox.clear()
                cleared.append({"messages": dropped.messages, "bytes": dropped.bytes})
            except StorageFailed as error:
                cleared.append(_NOTHING)
                troubles.append(f"the outbox of {name} was not cleared: {error}")
        broker, *others = cleared
        _, *names = self._outboxes
        result = {**broker, **({"sinks": dict(zip(names, others, strict=True))} if names else {})}
        if troubles:
            raise CommandFailed("error", "internal", "; ".join(troubles), result)
        return result
