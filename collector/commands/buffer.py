"""`clear_buffer`: what waits is given up, on somebody's word."""

from collections.abc import Mapping

from collector.commands.outcome import CommandFailed, Handler, Params
from collector.delivery.outbox import Outbox
from collector.storage.errors import StorageFailed


class BufferCommands:
    """Data alone is cleared: events and responses still go out, and gap events name what went."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox

    def handlers(self) -> dict[str, Handler]:
        """By the name of the command."""
        return {"clear_buffer": self._clear_buffer}

    async def _clear_buffer(self, params: Params) -> Mapping[str, object]:
        try:
            dropped = await self._outbox.clear()
        except StorageFailed as error:
            raise CommandFailed("error", "internal", f"nothing was cleared: {error}") from None
        return {"messages": dropped.messages, "bytes": dropped.bytes}
