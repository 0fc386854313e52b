"""The commands: what there is of them, and what each is given to work with."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from collector.app.site import Site
from collector.app.supporting import support_sources
from collector.commands.allow_list import AllowList
from collector.commands.audit import AUDIT_FOLDER, Audit, FileAudit
from collector.commands.buffer import BufferCommands
from collector.commands.cut_off import ReadBackLater
from collector.commands.devices import Devices
from collector.commands.handlers import ConfigCommands, StatusCommands
from collector.commands.journal import Journal
from collector.commands.pace import Pace
from collector.commands.pausing import PauseCommands
from collector.commands.process import ProcessCommands
from collector.commands.reading import ReadCommands
from collector.commands.router import Router
from collector.commands.support import SupportCommands
from collector.commands.writing import WriteCommands, WriteGuards
from collector.config.sync import ConfigSync
from collector.delivery.message import Message
from collector.delivery.outbox import Outbox
from collector.polling.supervisor import Supervisor
from collector.status.heartbeat import Heartbeat


@dataclass(frozen=True, slots=True)
class Commanded:
    """The parts that commands work on; without `process` none reaches the process itself."""

    outbox: Outbox
    sinks: Mapping[str, Outbox]
    heartbeat: Heartbeat
    sync: ConfigSync
    supervisor: Supervisor
    clock_in_doubt: Callable[[], bool]
    process: ProcessCommands | None


@asynccontextmanager
async def commands(site: Site, parts: Commanded) -> AsyncIterator[Router]:
    """The router, to be run and fed. Devices that were paused are paused again from here on."""
    settings = site.settings
    async with (
        FileAudit.open(settings.data_dir / AUDIT_FOLDER, site.clock) as audit,
        Journal.open(settings.data_dir / "commands") as journal,
    ):
        devices = Devices(parts.supervisor, site.clock)
        reads = ReadCommands(devices).handlers()
        writes = WriteCommands(devices, await _write_guards(site, parts, audit)).handlers()
        support = SupportCommands(support_sources(site, parts.heartbeat, parts.sync), devices).handlers()
        process = parts.process.handlers() if parts.process else {}
        pauses = PauseCommands(parts.supervisor, site.board, settings.data_dir)
        pauses.restore()
        yield Router(
            {
                **StatusCommands(site.board, parts.heartbeat).handlers(),
                **ConfigCommands(parts.sync).handlers(),
                **pauses.handlers(),
                **BufferCommands(parts.outbox, parts.sinks).handlers(),
                **process,
            },
            lambda body: parts.outbox.put_letter(Message(site.address.topics.responses, body)),
            device_handlers={**reads, **writes, **support},
            journal=journal,
            audit=audit,
            read_back=ReadBackLater(reads["read_tags"]),
            only_if_noted={*writes, "restart"},
            clock=site.clock,
            max_age_ms=int(settings.command_max_age_sec * 1000),
            require_timestamp=settings.command_require_timestamp,
        )


async def _write_guards(site: Site, parts: Commanded, audit: Audit) -> WriteGuards:
    settings = site.settings
    allow_list = AllowList(settings.write_allow_file, site.board)
    if settings.writes_enabled:
        await allow_list.read()  # a list that can not be read is said now, not at the first write
    return WriteGuards(
        enabled=settings.writes_enabled,
        allow_list=allow_list,
        audit=audit,
        clock_in_doubt=parts.clock_in_doubt,
        pace=Pace(site.clock),
    )
