"""`write_tag` and `write_tags`: all tags are checked first, then written in order, each read back and compared."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import structlog

from collector.commands.allow_list import AllowList
from collector.commands.audit import Audit, AuditFailed
from collector.commands.devices import Devices
from collector.commands.outcome import CommandFailed, DeviceHandler
from collector.commands.pace import Pace
from collector.commands.params import value_of, values_of
from collector.commands.quantities import shown
from collector.commands.read_back import holds
from collector.commands.write_rules import WriteOrder, check_present, order_for
from collector.polling.desk import Desk, Found
from collector.polling.errors import NotCarriedOut, WaitedTooLong
from fleet_client.commands import Command
from protocols.base import Value
from protocols.errors import RequestRefused, SessionError
from protocols.quality import Quality

log = structlog.get_logger()

NOTHING_FOUND = Found(None, None)


@dataclass(frozen=True, slots=True)
class WriteGuards:
    """What stands between a command and a plant, besides the configuration. `enabled` is WRITES_ENABLED."""

    enabled: bool
    allow_list: AllowList
    audit: Audit
    clock_in_doubt: Callable[[], bool]
    pace: Pace


class WriteCommands:
    """Answers each tag that was written with `value` and `raw` as read back."""

    def __init__(self, devices: Devices, guards: WriteGuards) -> None:
        self._devices = devices
        self._guards = guards

    def handlers(self) -> dict[str, DeviceHandler]:
        """By the name of the command."""
        return {"write_tag": self._write_tag, "write_tags": self._write_tags}

    async def _write_tag(self, command: Command) -> Mapping[str, object]:
        return await self._write(command, value_of)

    async def _write_tags(self, command: Command) -> Mapping[str, object]:
        return await self._write(command, values_of)

    async def _write(
        self, command: Command, wanted: Callable[[Mapping[str, object]], Mapping[str, Value]]
    ) -> Mapping[str, object]:
        self._check_open()
        values = wanted(command.params)
        station = self._devices.station(command.params)
        orders = [order_for(station.driver, station.plan, name, value) for name, value in values.items()]
        await self._guards.allow_list.check(station.plan, list(values))
        job = _Job(command, orders, self._guards)
        await self._devices.carry_out(command, station, job.carry_out)
        return job.written

    def _check_open(self) -> None:
        if not self._guards.enabled:
            message = "WRITES_ENABLED is off on this gateway; only its own environment can turn it on"
            raise CommandFailed("rejected", "writes_disabled", message)
        if self._guards.clock_in_doubt():
            message = "this gateway's clock is not set, so that it can not tell whether a write is of now"
            raise CommandFailed("rejected", "clock_unsynced", message)


class _Job:
    """The writes of one command, carried out at the device's desk. `written` is what was verified so far."""

    def __init__(self, command: Command, orders: Sequence[WriteOrder], guards: WriteGuards) -> None:
        self._command = command
        self._orders = orders
        self._audit = guards.audit
        self._pace = guards.pace
        self.written: dict[str, object] = {}

    async def carry_out(self, desk: Desk) -> None:
        """Raises `CommandFailed`, with what was written before; `SessionError` and `NotCarriedOut` before any write."""
        present = await desk.read([order.tag for order in self._orders])
        for order in self._orders:
            check_present(order, desk.plan, present[order.tag])
            await _check_fits(desk, order)
        self._pace.take(desk.plan.id, len(self._orders))
        for number, order in enumerate(self._orders):
            try:
                await self._write(desk, order, present[order.tag])
            except CommandFailed as failure:
                raise self._summed_up(failure, number) from None
            except NotCarriedOut as error:
                if not self.written:
                    raise
                code = "timeout" if isinstance(error, WaitedTooLong) else "device_offline"
                raise self._summed_up(CommandFailed("error", code, f"{order.name}: {error}"), number) from None

    def _summed_up(self, failure: CommandFailed, number: int) -> CommandFailed:
        """The failure of the order with this number, with what came before it and what was not tried after it."""
        left = [order.name for order in self._orders[number + 1 :]]
        more = "; not tried: " + ", ".join(left) if left else ""
        return CommandFailed(failure.status, failure.code, f"{failure}{more}", {**self.written, **failure.result})

    async def _write(self, desk: Desk, order: WriteOrder, present: Found) -> None:
        """Write one tag. Raises `CommandFailed`, or `NotCarriedOut` where nothing was sent."""
        entry = self._entry(desk, order, present)
        desk.check()
        try:
            await self._audit.record({"stage": "intent", **entry})
        except AuditFailed as error:
            message = f"{order.name} was not written, for no record of it can be kept: {error}"
            raise CommandFailed("error", "internal", message) from None
        desk.check()
        found, failure = await _write_and_read_back(desk, order)
        await self._record_result(entry, found, failure)
        if failure is not None:
            raise failure
        self.written[order.name] = {"value": found.value, "raw": found.raw}

    def _entry(self, desk: Desk, order: WriteOrder, present: Found) -> dict[str, object]:
        return {
            "command_id": self._command.command_id,
            "command": self._command.command,
            "device_id": desk.plan.id,
            "device": desk.plan.name,
            "tag": order.name,
            "old": present.value,
            "old_raw": present.raw,
            "new": order.value,
        }

    async def _record_result(self, entry: Mapping[str, object], found: Found, failure: CommandFailed | None) -> None:
        """What was written can not be taken back: where its result can not be recorded the next write is refused."""
        status, code = (failure.status, failure.code) if failure else ("success", None)
        result = {"status": status, "code": code, "read_back": found.value, "read_back_raw": found.raw}
        try:
            await self._audit.record({"stage": "result", **entry, **result})
        except AuditFailed as error:
            log.error("the result of a write was not recorded", **entry, **result, reason=str(error))


async def _check_fits(desk: Desk, order: WriteOrder) -> None:
    try:
        await desk.check_fits(order.write)
    except RequestRefused as refusal:
        message = f"{desk.plan.name}/{order.name}: {refusal}; nothing was written"
        if refusal.quality is Quality.OUT_OF_RANGE:
            raise CommandFailed("rejected", "out_of_range", message) from None
        raise CommandFailed("error", "device_error", message) from None


async def _write_and_read_back(desk: Desk, order: WriteOrder) -> tuple[Found, CommandFailed | None]:
    """What the tag reads after the write, and what was wrong with it."""
    where = f"{desk.plan.name}/{order.name}"
    try:
        await desk.write(order.write)
    except RequestRefused as refusal:
        return NOTHING_FOUND, CommandFailed("error", "device_error", f"{where}: {refusal}")
    except SessionError as error:
        message = f"{where}: whether it was written is not known: {error}"
        return NOTHING_FOUND, CommandFailed("error", "outcome_unknown", message)
    try:
        found = (await desk.read([order.tag]))[order.tag]
    except SessionError as error:
        message = f"{where}: the device confirmed the write, but what it holds now is not known: {error}"
        return NOTHING_FOUND, CommandFailed("error", "outcome_unknown", message)
    if found.raw is None:
        message = f"{where}: the device confirmed the write, but what it holds now can not be read ({found.quality})"
        return found, CommandFailed("error", "outcome_unknown", message)
    if not holds(desk.driver, desk.plan, order, found.raw):
        held = f"{shown(found.value)} (raw {shown(found.raw)})" if found.value is not None else f"raw {found.raw!r}"
        message = f"{where}: {shown(order.value)} was written and confirmed, but the device holds {held}"
        return found, CommandFailed(
            "error", "verify_mismatch", message, {order.name: {"value": found.value, "raw": found.raw}}
        )
    return found, None
