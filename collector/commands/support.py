"""`support_bundle`: what somebody far away has to know to help, in one answer of bounded size and without secrets."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import orjson

from collector.commands.devices import Devices
from collector.commands.outcome import CommandFailed, DeviceHandler
from collector.commands.redaction import secrets_of, without_secrets
from collector.polling.desk import Desk
from collector.polling.frames import Frames
from collector.settings.masking import Masking
from fleet_client.commands import Command
from protocols.errors import SessionError
from protocols.overhearing import Overheard

MOST_BYTES = 56 * 1024
LINES_BYTES = 16 * 1024
LONGEST_LINE = 2_000
TAGS_READ = 100
_NOT_OVERHEARD = "can not be listened to: it has no frames, or they may bear a log-in"


@dataclass(frozen=True, slots=True)
class Sources:
    """Where an answer's parts come from. `about` looks at files, and blocks; `parts` are told in their order, as long
    as there is room."""

    about: Callable[[], object]
    parts: Mapping[str, Callable[[], object]]
    lines: Callable[[], list[str]]
    document: Callable[[], bytes | None]
    secrets: tuple[str, ...] = field(repr=False)


class SupportCommands:
    """Answers with what can be told at once; of a device that is named by ``params.frames`` it reads some tags and
    tells the frames of that."""

    def __init__(self, sources: Sources, devices: Devices) -> None:
        self._sources = sources
        self._devices = devices

    def handlers(self) -> dict[str, DeviceHandler]:
        """By the name of the command."""
        return {"support_bundle": self._support_bundle}

    async def _support_bundle(self, command: Command) -> Mapping[str, object]:
        parts = {"about": await asyncio.to_thread(self._sources.about)}
        parts |= {name: tell() for name, tell in self._sources.parts.items()}
        if (wanted := command.params.get("frames")) is not None:
            parts["frames"] = await self._frames(command, {"device_id": wanted})
        return await asyncio.to_thread(self._answer, parts, self._sources.lines(), self._sources.document())

    async def _frames(self, command: Command, params: Mapping[str, object]) -> object:
        station = self._devices.station(params)
        try:
            return await self._devices.carry_out(command, station, _frames_of_a_read, insistent=True)
        except CommandFailed as failure:
            if failure.status == "rejected":
                raise
            return {"device": station.plan.name, "lines": [], "error": str(failure)}

    def _answer(self, parts: Mapping[str, object], lines: list[str], body: bytes | None) -> Mapping[str, object]:
        masked = Masking((*self._sources.secrets, *(secrets_of(body) if body else ())))
        document = without_secrets(body) if body else None
        answer = Room(MOST_BYTES)
        for name, part in parts.items():
            answer.take(name, masked_values(part, masked))
        answer.take("log", list(newest(map(masked, lines), LINES_BYTES)))
        answer.take("document", document)
        return {**answer.taken, "left_out": answer.left_out}


class Room:
    """An object that grows as long as there is room; what does not fit is named with its size."""

    def __init__(self, most_bytes: int) -> None:
        self.taken: dict[str, object] = {}
        self.left_out: dict[str, str] = {}
        self._room = most_bytes

    def take(self, name: str, part: object) -> None:
        """Add a part, or say why not."""
        size = len(orjson.dumps(part, default=str))
        if size > self._room:
            self.left_out[name] = f"{size:,} bytes, {self._room:,} were left"
            return
        self.taken[name] = part
        self._room -= size


def masked_values(value: object, masked: Masking) -> object:
    """The same, every text in it masked."""
    match value:
        case str():
            return masked(value)
        case dict():
            return {masked(str(key)): masked_values(inner, masked) for key, inner in value.items()}
        case list() | tuple():
            return [masked_values(inner, masked) for inner in value]
    return value


def newest(lines: Iterator[str], most_bytes: int) -> Iterator[str]:
    """The last lines that fit, oldest first, each cut at `LONGEST_LINE` characters."""
    kept: list[str] = []
    for line in reversed(list(lines)):
        cut = line[:LONGEST_LINE]
        most_bytes -= len(orjson.dumps(cut)) + 1
        if most_bytes < 0:
            break
        kept.append(cut)
    return reversed(kept)


async def _frames_of_a_read(desk: Desk) -> Mapping[str, object]:
    """Read the device's first tags once by the session that polls, and tell the frames of that."""
    session, frames, error = desk.session, Frames(desk.clock), None
    if not isinstance(session, Overheard):
        raise CommandFailed("rejected", "unsupported", f"{desk.plan.protocol} {_NOT_OVERHEARD}")
    tags = [tag for tag, spec in enumerate(desk.plan.specs) if spec is not None]
    session.overhear(frames)
    try:
        await desk.read(tags[:TAGS_READ])
    except SessionError as broken:
        error = str(broken)  # the frames up to here are what tells why; the lane knows of it through the desk
    finally:
        session.overhear(None)
    return {"device": desk.plan.name, "lines": frames.lines, "error": error}
