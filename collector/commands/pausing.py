"""`pause_device` and `resume_device`: a person holds a device, over restarts, until a person lets it go."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import structlog

from collector.commands.outcome import CommandFailed, Handler, Params
from collector.commands.params import device_id_of
from collector.polling.errors import DeviceUnknown
from collector.polling.supervisor import Supervisor
from collector.status.board import Board
from collector.storage.errors import StorageFailed
from collector.storage.paused import note_paused, read_paused

log = structlog.get_logger()


class PauseCommands:
    """Notes who is paused before it says so. A paused device has no connection, and is not polled."""

    def __init__(self, supervisor: Supervisor, board: Board, folder: Path) -> None:
        self._supervisor = supervisor
        self._board = board
        self._folder = folder

    def handlers(self) -> dict[str, Handler]:
        """By the name of the command."""
        return {"pause_device": self._pause, "resume_device": self._resume}

    def restore(self) -> None:
        """Pause what was paused before the restart. What was noted and can not be read is polled."""
        try:
            self._supervisor.pause(read_paused(self._folder))
        except StorageFailed as error:
            log.warning("devices that were paused are polled again", reason=str(error))

    async def _pause(self, params: Params) -> Mapping[str, object]:
        device_id = self._known(params)
        return await self._hold(device_id, self._supervisor.paused | {device_id})

    async def _resume(self, params: Params) -> Mapping[str, object]:
        device_id = self._known(params)
        return await self._hold(device_id, self._supervisor.paused - {device_id})

    def _known(self, params: Params) -> str:
        device_id = device_id_of(params)
        try:
            self._supervisor.check_known(device_id)
        except DeviceUnknown as error:
            raise CommandFailed("rejected", "unknown_device", str(error)) from None
        return device_id

    async def _hold(self, device_id: str, paused: frozenset[str]) -> Mapping[str, object]:
        if paused != self._supervisor.paused:
            try:
                await asyncio.to_thread(note_paused, self._folder, paused)
            except StorageFailed as error:
                raise CommandFailed("error", "internal", f"nothing was changed: {error}") from None
            self._supervisor.pause(paused)
        return {"device_id": device_id, "state": self._board.devices[device_id].condition.value}
