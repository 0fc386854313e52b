"""All that a view of the demo may show."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from collector.cli.demo.brokers import DemoBroker
from collector.cli.demo.course import Course
from collector.cli.demo.figures import Figures
from collector.cli.demo.hall import EDGE_ID, units
from collector.cli.demo.lives import Lives
from collector.cli.demo.ring import Ring
from collector.cli.demo.subscriber import Books, Subscriber
from collector.clock import Clock, SystemClock
from collector.status.board import Board, DeviceState

_LEAST_DEPTH = 20


class Phase(Enum):
    """What the demo is at."""

    RUNNING = "running"
    OUTAGE = "outage"
    ENDING = "ending"


@dataclass(slots=True)
class Scene:
    """Read by the views, several times a second. `phase_ends` is in monotonic seconds, `link` opens the demo's page."""

    course: Course
    board: Board
    broker: DemoBroker
    fleet_url: str
    subscriber: Subscriber
    ring: Ring
    figures: Figures = field(default_factory=Figures)
    lives: Lives = field(default_factory=Lives)
    link: str = ""
    units: Mapping[tuple[str, str], str] = field(default_factory=units)
    phase: Phase = Phase.RUNNING
    phase_ends: float | None = None
    clock: Clock = field(default_factory=SystemClock)
    begun: float = field(init=False)
    _books: Books | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.begun = self.now

    @property
    def now(self) -> float:
        """Monotonic seconds."""
        return self.clock.monotonic()

    @property
    def elapsed_s(self) -> float:
        """Since everything runs."""
        return self.now - self.begun

    @property
    def broker_words(self) -> tuple[bool, str]:
        """Whether the collector has its broker, and how that stands."""
        state = self.board.broker
        if self.phase is Phase.OUTAGE and self.phase_ends is not None:
            return False, f"stopped, back in {max(0.0, self.phase_ends - self.now):.0f} s"
        if state.connected:
            return True, f"connected, MQTT {state.protocol}"
        return False, "connecting" if state.connects == 0 else "reconnecting"

    @property
    def commands(self) -> tuple[str, ...]:
        """What a visitor can try from another terminal while it runs."""
        port = self.broker.url.rpartition(":")[2]
        edge = f"{self.fleet_url}/api/fleet/v1/edges/{EDGE_ID}"
        return (
            f"edge-collector watch --broker {self.broker.url}",
            f"mosquitto_sub -p {port} -t 'vexplor/#' -v",
            f"curl -s {edge}/latest",
            f"curl -s {edge}/config",
        )

    @property
    def hints(self) -> tuple[str, ...]:
        """All that a visitor can try, the page first."""
        return (f"open {self.link}", *self.commands)

    @property
    def devices(self) -> list[DeviceState]:
        """In the order of their ids."""
        return sorted(self.board.devices.values(), key=lambda device: device.id)

    @property
    def expected_depth(self) -> int:
        """How much the buffer may come to hold: what a bar of it is drawn against."""
        outage = self.course.outage_s * self.figures.cycles_per_s(self.now)
        return max(_LEAST_DEPTH, self.figures.peak, round(outage))

    def books(self) -> Books:
        """As of the collector's newest report: what came since then is not in its counts."""
        return self._books or self.books_now()

    def note_books(self) -> None:
        """A report has just come."""
        self._books = self.books_now()

    def books_now(self) -> Books:
        """As of now; final once the collector has ended."""
        return self.subscriber.books(self.board.buffer, self.lives)

    def note(self) -> None:
        """Sample what is drawn as a course over time."""
        self.figures.note_depth(self.board.buffer.messages, self.elapsed_s)
