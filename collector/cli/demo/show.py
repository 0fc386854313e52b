"""The demo itself: what starts after what, the outage, and the end that leaves nothing behind."""

import asyncio
import signal
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from collector.cli.demo.brokers import HOST, BrokerTrouble, DemoBroker, running_broker
from collector.cli.demo.course import Course
from collector.cli.demo.gateway import Gateway, warmed_up
from collector.cli.demo.hall import EDGE_ID, Hall
from collector.cli.demo.outage import Outage
from collector.cli.demo.panel.actions import Mischief
from collector.cli.demo.panel.server import PanelServer
from collector.cli.demo.ring import Ring
from collector.cli.demo.scene import Phase, Scene
from collector.cli.demo.subscriber import Books, Subscriber
from collector.cli.foreground import passed
from simulators.address import listen
from simulators.fleet import FleetServer

CAUGHT_UP_WITHIN_S = 3.0
DRAINED_WITHIN_S = 10.0

View = Callable[[Scene], AbstractAsyncContextManager[None]]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """All that the collector finds."""

    broker: DemoBroker
    hall: Hall
    subscriber: Subscriber
    fleet: FleetServer


async def perform(
    course: Course, view: View, ring: Ring, say: Callable[[str], None], stop: asyncio.Event, *, embedded: bool
) -> Books:
    """Everything from the first port to the last message; returns the final books.

    Raises `BrokerTrouble`, `GatewayTrouble`, and `OSError` for a port or folder that can not be had.
    """
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, stop.set)  # a terminal that is closed ends it too
    with tempfile.TemporaryDirectory(prefix="edge-collector-demo-") as folder:
        async with warmed_up() as warm, _surroundings(Path(folder), say, embedded=embedded) as around:
            page = f"http://{HOST}:{_free_port()}/"
            gateway = Gateway(Path(folder), _environ(around, page, Path(folder)), ring, warm)
            outage = Outage(around.broker, around.subscriber, gateway)
            mischief = Mischief(gateway, outage, around.hall, around.fleet, ring)
            async with gateway:
                scene = _scene(course, around, gateway, ring)
                async with PanelServer(mischief, scene.books, page) as panel:
                    scene.link = panel.link
                    say(f"page         {panel.link}")
                    for command in scene.commands:
                        say(f"try          {command}")
                    async with view(scene):
                        await _run(scene, mischief, stop)
            await around.subscriber.until(lambda: _caught_up(scene.books_now()), CAUGHT_UP_WITHIN_S)
            return scene.books_now()


@asynccontextmanager
async def _surroundings(folder: Path, say: Callable[[str], None], *, embedded: bool) -> AsyncIterator[Surroundings]:
    async with running_broker(folder, say, embedded=embedded) as broker:
        say(f"broker       {broker.url}, {broker.words}")
        async with (
            Hall(say) as hall,
            Subscriber(broker.inner_url, persistent=broker.keeps_sessions) as subscriber,
            FleetServer(
                broker_url=broker.inner_url, document=hall.document(), persistent_session=broker.keeps_sessions
            ) as fleet,
        ):
            say(f"Fleet server {fleet.url}")
            yield Surroundings(broker, hall, subscriber, fleet)


def _scene(course: Course, around: Surroundings, gateway: Gateway, ring: Ring) -> Scene:
    scene = Scene(
        course,
        gateway.board,
        around.broker,
        around.fleet.url,
        around.subscriber,
        ring,
        figures=gateway.figures,
        lives=gateway.lives,
    )
    gateway.on_news = scene.note_books
    return scene


def _environ(around: Surroundings, page: str, folder: Path) -> Mapping[str, str]:
    return {
        "EDGE_SERVER_URL": around.fleet.url,
        "MQTT_BROKER_URL": around.broker.url,
        "MQTT_VERSION": around.broker.version,
        "DEVICE_ID": EDGE_ID,
        "COMPANY_CODE": "DEMO",
        "DATA_DIR": str(folder / "data"),
        "HEARTBEAT_INTERVAL_SEC": "5",
        "CONFIG_SYNC_INTERVAL_SEC": "2",
        "MQTT_RECONNECT_MAX_SEC": "2",
        "HTTP_PORT": page.rpartition(":")[2].rstrip("/"),
    }


def _free_port() -> int:
    """The same over all lives of the collector, so that a page that is open finds it again."""
    with listen(HOST, 0) as free:
        return int(free.getsockname()[1])


def _caught_up(books: Books) -> bool:
    return books.lost <= books.waiting + books.given_up


async def _run(scene: Scene, mischief: Mischief, stop: asyncio.Event) -> None:
    """Until the end of the course or `stop`, and then until the buffer is empty."""
    course, gateway, outage = scene.course, mischief.gateway, mischief.outage
    if course.outage_s and not await passed(stop, course.outage_at_s - scene.elapsed_s):
        await _interrupt(scene, outage, stop)
    await passed(stop, None if course.duration_s is None else course.duration_s - scene.elapsed_s)
    scene.phase, scene.phase_ends = Phase.ENDING, None
    mischief.ending = True
    await _bring_back(scene, outage)
    await gateway.until(lambda: gateway.delivered, DRAINED_WITHIN_S)


async def _interrupt(scene: Scene, outage: Outage, stop: asyncio.Event) -> None:
    scene.phase, scene.phase_ends = Phase.OUTAGE, scene.now + scene.course.outage_s
    scene.ring.say(f"the demo stops the broker for {scene.course.outage_s:g} s", "warning")
    await outage.begin()
    await passed(stop, scene.phase_ends - scene.now)
    if await _bring_back(scene, outage):
        scene.phase, scene.phase_ends = Phase.RUNNING, None
        scene.ring.say("the demo has started the broker again")


async def _bring_back(scene: Scene, outage: Outage) -> bool:
    try:
        await outage.end()
    except BrokerTrouble as trouble:
        scene.ring.say(f"the broker does not come back: {trouble}", "error")
        return False
    return True
