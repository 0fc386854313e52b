"""What the tags hold that a write was about when a crash cut it off."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace

from collector.commands.outcome import CommandFailed, DeviceHandler
from collector.commands.params import device_id_of, value_of, values_of
from fleet_client.commands import Command

WRITTEN = {"write_tag": value_of, "write_tags": values_of}
"""By command what finds the tags in its params."""

PAUSES_S = (1.0, 2.0, 4.0, 8.0, 15.0)
"""Between the attempts: after a restart it takes a while until the devices are connected."""


class ReadBackLater:
    """Reads by `read_tags`, as soon as the device is there, for at most half a minute."""

    def __init__(self, read_tags: DeviceHandler) -> None:
        self._read_tags = read_tags

    async def __call__(self, command: Command) -> Mapping[str, object]:
        """By tag what `read_tags` says; empty for what is no write, or where the device does not come back."""
        try:
            params = {"device_id": device_id_of(command.params), "tags": list(WRITTEN[command.command](command.params))}
        except (KeyError, CommandFailed):
            return {}
        question = replace(command, command="read_tags", params=params, timestamp_ms=None, expires_at_ms=None)
        for pause_s in PAUSES_S:
            await asyncio.sleep(pause_s)
            try:
                return await self._read_tags(question)
            except CommandFailed:
                continue
        return {}
