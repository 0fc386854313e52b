"""What a visitor can break, and how it is mended again."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from collector.cli.demo.brokers import BrokerTrouble
from collector.cli.demo.damage import damage
from collector.cli.demo.gateway import Gateway
from collector.cli.demo.hall import EDGE_ID, Hall
from collector.cli.demo.outage import Outage
from collector.cli.demo.panel.orders import (
    BrokerOrder,
    ConfigOrder,
    DamageOrder,
    Document,
    KillOrder,
    Order,
    PlcOrder,
)
from collector.cli.demo.ring import Ring
from fleet_client.topics import Topics
from simulators.faults import PlcFaults
from simulators.fleet import FleetServer

LEAST_TO_DAMAGE = 60
_RELOAD_WITHIN_S = 3.0
_SPOILT_DEVICE = {"protocol": "carrier_pigeon"}


class NotNow(Exception):
    """This can not be broken at the moment; the message says why."""


@dataclass(slots=True)
class Mischief:
    """Done on real processes, real sockets and real files, until the demo is `ending`.

    `document` is what the Fleet server serves.
    """

    gateway: Gateway
    outage: Outage
    hall: Hall
    fleet: FleetServer
    ring: Ring
    document: Document = "good"
    kills: int = 0
    spoilt_bytes: int = 0
    ending: bool = False

    async def carry_out(self, order: Order) -> None:
        """Returns once it is done. Raises `NotNow`."""
        if self.ending:
            raise NotNow("the demo is ending")
        match order:
            case BrokerOrder(away=away):
                await self._switch_broker(away=away)
            case PlcOrder(device=device, stopped=stopped):
                self._switch_plc(device, stopped=stopped)
            case ConfigOrder(document=document):
                await self._serve(document)
            case DamageOrder():
                await self._damage()
            case KillOrder():
                self.ring.say("a visitor kills the collector: kill -9", "warning")
                await self._kill()

    def stopped_plcs(self) -> Mapping[str, bool]:
        """By device id, those that can be stopped and whether they are."""
        return {device_id: faults.dead for device_id, faults in self.hall.plcs().items()}

    async def _switch_broker(self, *, away: bool) -> None:
        self.ring.say("a visitor pulls the broker" if away else "a visitor brings the broker back", "warning")
        try:
            await (self.outage.begin() if away else self.outage.end())
        except BrokerTrouble as trouble:
            raise NotNow(f"the broker does not come back: {trouble}") from trouble

    def _switch_plc(self, device_id: str, *, stopped: bool) -> None:
        faults: PlcFaults | None = self.hall.plcs().get(device_id)
        if faults is None:
            raise NotNow(f"there is no PLC {device_id[:20]!r} here that can be stopped")
        self.ring.say(f"a visitor {'stops' if stopped else 'starts'} the PLC {device_id}", "warning")
        faults.dead = stopped

    async def _serve(self, document: Document) -> None:
        self.ring.say(f"a visitor has the Fleet server serve: {document}", "warning")
        config = self.hall.document()
        devices = config["devices"]
        if document == "bad_device" and isinstance(devices, list):
            devices[0] |= _SPOILT_DEVICE
        self.fleet.faults.half_json = document == "broken"
        self.fleet.document = config
        self.document = document
        with suppress(ConnectionError, TimeoutError):  # without a broker it asks by itself, a little later
            await self.fleet.command(EDGE_ID, "reload_config", timeout_s=_RELOAD_WITHIN_S)

    async def _damage(self) -> None:
        if self.gateway.board.buffer.messages < LEAST_TO_DAMAGE:
            raise NotNow(f"fewer than {LEAST_TO_DAMAGE} messages wait in the buffer: pull the broker first")
        self.ring.say("a visitor kills the collector and writes garbage into its buffer", "warning")
        await self._kill(spoil=True)

    async def _kill(self, *, spoil: bool = False) -> None:
        if not await self.gateway.kill(self._spoil if spoil else None):
            raise NotNow("the collector does not run just now")
        self.kills += 1

    def _spoil(self) -> None:
        try:
            self.spoilt_bytes += damage(self.gateway.outbox, Topics(EDGE_ID).data)
        except OSError as trouble:
            self.ring.say(f"the buffer can not be damaged: {trouble}", "error")
