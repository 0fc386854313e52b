"""What each command does, of those that touch no PLC."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import orjson

from collector import __version__
from collector.clock import iso_utc
from collector.commands.outcome import CommandFailed, Handler, Params
from collector.commands.redaction import without_secrets
from collector.config.in_force import InForce
from collector.config.sync import ConfigSync
from collector.status.board import Board, BufferState
from collector.status.heartbeat import Heartbeat
from fleet_client.errors import FleetError
from fleet_client.status import heartbeat

MAX_REFUSALS_TOLD = 100


class StatusCommands:
    """`ping`, `get_status` and `buffer_stats`."""

    def __init__(self, board: Board, beat: Heartbeat) -> None:
        self._board = board
        self._beat = beat

    def handlers(self) -> dict[str, Handler]:
        """By the name of the command."""
        return {"ping": self._ping, "get_status": self._get_status, "buffer_stats": self._buffer_stats}

    async def _ping(self, params: Params) -> Mapping[str, object]:
        return {"version": __version__, "uptime_sec": int(self._board.uptime_s())}

    async def _get_status(self, params: Params) -> Mapping[str, object]:
        status: dict[str, object] = orjson.loads(heartbeat(self._beat.fields(all_devices=True)))
        return status

    async def _buffer_stats(self, params: Params) -> Mapping[str, object]:
        sinks = {name: _figures(sink.buffer) | {"up": sink.up} for name, sink in self._board.sinks.items()}
        return _figures(self._board.buffer) | ({"sinks": sinks} if sinks else {})


def _figures(buffer: BufferState) -> dict[str, object]:
    return {
        "messages": buffer.messages,
        "bytes": buffer.bytes,
        "oldest": None if buffer.oldest_ms is None else iso_utc(buffer.oldest_ms),
        "recorded": buffer.recorded,
        "acknowledged": buffer.acknowledged,
        "dropped": buffer.dropped,
    }


class ConfigCommands:
    """`get_config`, `reload_config` and `rollback_config`."""

    def __init__(self, sync: ConfigSync) -> None:
        self._sync = sync

    def handlers(self) -> dict[str, Handler]:
        """By the name of the command."""
        return {
            "get_config": self._get_config,
            "reload_config": self._reload_config,
            "rollback_config": self._rollback_config,
        }

    async def _get_config(self, params: Params) -> Mapping[str, object]:
        in_force = self._sync.in_force
        if in_force is None:
            raise CommandFailed("error", "internal", "there is no configuration yet")
        return await asyncio.to_thread(without_secrets, in_force.body)

    async def _reload_config(self, params: Params) -> Mapping[str, object]:
        return await self._exchanged(self._sync.reload)

    async def _rollback_config(self, params: Params) -> Mapping[str, object]:
        return await self._exchanged(self._sync.roll_back)

    async def _exchanged(self, exchange: Callable[[], Awaitable[InForce]]) -> Mapping[str, object]:
        before = self._sync.in_force
        try:
            in_force = await exchange()
        except FleetError as error:
            raise CommandFailed("error", "internal", f"{error}; the configuration in force stays") from None
        problems = in_force.plan.problems
        return {
            "version": in_force.plan.version,
            "applied": before is None or before.sha256 != in_force.sha256,
            "refused": [
                {"path": problem.path, "code": problem.code, "message": problem.message}
                for problem in problems[:MAX_REFUSALS_TOLD]
            ],
        }
