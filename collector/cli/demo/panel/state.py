"""What the demo's page shows, as of one moment."""

from dataclasses import dataclass

from collector.cli.demo.machines import MACHINES
from collector.cli.demo.panel.actions import LEAST_TO_DAMAGE, Mischief
from collector.cli.demo.panel.orders import Document
from collector.cli.demo.subscriber import Books
from collector.status.board import ConfigProblem, DeviceCondition

_MOST_PROBLEMS = 3


@dataclass(frozen=True, slots=True)
class Counts:
    """Data messages: recorded = acknowledged + waiting + lost, and what a subscriber has of them."""

    recorded: int
    acknowledged: int
    waiting: int
    lost: int
    received: int
    duplicates: int


@dataclass(frozen=True, slots=True)
class DeviceShown:
    """A device. `stopped` is null where it can not be stopped, `state` where the collector is down."""

    id: str
    name: str
    protocol: str
    stopped: bool | None
    state: DeviceCondition | None
    error: str | None


@dataclass(frozen=True, slots=True)
class ConfigShown:
    """The document that is in force, and what became of the one that is `served`."""

    served: Document
    version: str | None
    error: str | None
    problems: tuple[ConfigProblem, ...]


@dataclass(frozen=True, slots=True)
class State:
    """All of it. `page` is the collector's own."""

    page: str
    alive: bool
    broker_away: bool
    broker_connected: bool
    config: ConfigShown
    devices: list[DeviceShown]
    counts: Counts
    kills: int
    spoilt_bytes: int
    can_damage: bool


def state_of(mischief: Mischief, books: Books, page: str) -> State:
    """As of now."""
    gateway, board = mischief.gateway, mischief.gateway.board
    config = board.config
    return State(
        page=page,
        alive=gateway.alive,
        broker_away=mischief.outage.away,
        broker_connected=gateway.alive and board.broker.connected,
        config=ConfigShown(mischief.document, config.version, config.error, config.problems[:_MOST_PROBLEMS]),
        devices=_devices(mischief),
        counts=Counts(
            recorded=books.made,
            acknowledged=books.acknowledged,
            waiting=books.waiting,
            lost=books.given_up,
            received=books.received,
            duplicates=books.duplicates,
        ),
        kills=mischief.kills,
        spoilt_bytes=mischief.spoilt_bytes,
        can_damage=gateway.alive and board.buffer.messages >= LEAST_TO_DAMAGE,
    )


def _devices(mischief: Mischief) -> list[DeviceShown]:
    stopped = mischief.stopped_plcs()
    known = mischief.gateway.board.devices if mischief.gateway.alive else {}
    shown = []
    for machine in MACHINES:
        device = known.get(machine.device_id)
        state, error = (device.condition, device.error) if device else (None, None)
        where = stopped.get(machine.device_id)
        shown.append(DeviceShown(machine.device_id, machine.name, machine.protocol, where, state, error))
    return shown
