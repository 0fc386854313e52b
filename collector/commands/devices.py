"""The way from a command to the device it is for: its lane's mailbox, and what an errand's end means in an answer."""

from collector.clock import Clock
from collector.commands.outcome import CommandFailed, Params
from collector.commands.params import device_id_of
from collector.polling.errors import CutShort, DeviceAway, DeviceUnknown, MailboxFull, NotCarriedOut, WaitedTooLong
from collector.polling.mailbox import Errand, Result
from collector.polling.supervisor import Station, Supervisor
from fleet_client.commands import Command
from protocols.errors import NoAnswer, SessionError

MAX_WAIT_S = 30.0


class Devices:
    """Finds the device of a command and has errands carried out there, in time or not at all."""

    def __init__(self, supervisor: Supervisor, clock: Clock) -> None:
        self._supervisor = supervisor
        self._clock = clock

    def station(self, params: Params) -> Station:
        """Where the device that is meant is polled. Raises `CommandFailed`."""
        device_id = device_id_of(params)
        try:
            return self._supervisor.station(device_id)
        except NotCarriedOut as error:
            raise self._failed(device_id, error) from None

    async def carry_out(
        self, command: Command, station: Station, errand: Errand[Result], *, insistent: bool = False
    ) -> Result:
        """Have it done when it is its turn, within 30 s and not after the command expires. Raises `CommandFailed`."""
        try:
            return await station.carry_out(errand, self._deadline(command), insistent=insistent)
        except WaitedTooLong as error:
            if command.expires_at_ms is not None and self._clock.wall_ms() >= command.expires_at_ms:
                raise CommandFailed("expired", "expired", f"it expired while it waited: {error}") from None
            raise self._failed(station.plan.name, error) from None
        except (NotCarriedOut, SessionError) as error:
            raise self._failed(station.plan.name, error) from None

    def _deadline(self, command: Command) -> float:
        left_s = MAX_WAIT_S
        if command.expires_at_ms is not None:
            left_s = min(left_s, (command.expires_at_ms - self._clock.wall_ms()) / 1000)
        return self._clock.monotonic() + left_s

    def _failed(self, device: str, error: NotCarriedOut | SessionError) -> CommandFailed:
        text = f"{device}: {error}"
        match error:
            case DeviceUnknown():
                return CommandFailed("rejected", "unknown_device", str(error))
            case MailboxFull():
                return CommandFailed("rejected", "busy", text)
            case WaitedTooLong() | NoAnswer():
                return CommandFailed("error", "timeout", text)
            case CutShort():
                return CommandFailed("error", "outcome_unknown", text)
            case DeviceAway() | _:
                return CommandFailed("error", "device_offline", text)
