"""The demo itself: what starts after what, the outage, and the end that leaves nothing behind."""

import asyncio
import signal
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from collector.app import Collector, collecting
from collector.cli.demo.brokers import BrokerTrouble, DemoBroker, running_broker
from collector.cli.demo.course import Course
from collector.cli.demo.hall import EDGE_ID, Hall
from collector.cli.demo.ring import Ring
from collector.cli.demo.scene import Phase, Scene
from collector.cli.demo.subscriber import Books, Subscriber
from collector.cli.foreground import passed
from collector.settings import Settings, load_settings
from simulators.fleet import FleetServer

CAUGHT_UP_WITHIN_S = 3.0
DRAINED_WITHIN_S = 10.0
_CLEARED_WITHIN_S = 5.0

View = Callable[[Scene], AbstractAsyncContextManager[None]]


async def perform(
    course: Course, view: View, ring: Ring, say: Callable[[str], None], stop: asyncio.Event, *, embedded: bool
) -> Books:
    """Everything from the first port to the last message; returns the final books.

    Raises `BrokerTrouble`, and `OSError` for a port or folder that can not be had.
    """
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, stop.set)  # a terminal that is closed ends it too
    with tempfile.TemporaryDirectory(prefix="edge-collector-demo-") as folder:
        async with _surroundings(Path(folder), say, embedded=embedded) as (broker, subscriber, fleet):
            async with collecting(_settings(broker, fleet, Path(folder))) as collector:
                say("collector    starts")
                scene = Scene(course, collector.board, broker, fleet.url, subscriber, ring)
                collector.on_scan.append(lambda scan: scene.figures.take(scan, scene.now))
                for hint in scene.hints:
                    say(f"try          {hint}")
                async with view(scene):
                    await _run(scene, collector, stop)
            await subscriber.until(lambda: scene.books().lost <= scene.books().waiting, CAUGHT_UP_WITHIN_S)
            return scene.books()


@asynccontextmanager
async def _surroundings(
    folder: Path, say: Callable[[str], None], *, embedded: bool
) -> AsyncIterator[tuple[DemoBroker, Subscriber, FleetServer]]:
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
            yield broker, subscriber, fleet


def _settings(broker: DemoBroker, fleet: FleetServer, folder: Path) -> Settings:
    env_file = folder / ".env"  # an empty one of its own: that of the visitor is for a real collector
    env_file.touch(mode=0o600)
    environ = {
        "EDGE_SERVER_URL": fleet.url,
        "MQTT_BROKER_URL": broker.url,
        "MQTT_VERSION": broker.version,
        "DEVICE_ID": EDGE_ID,
        "COMPANY_CODE": "DEMO",
        "DATA_DIR": str(folder / "data"),
        "HEARTBEAT_INTERVAL_SEC": "5",
        "CONFIG_SYNC_INTERVAL_SEC": "5",
        "MQTT_RECONNECT_MAX_SEC": "2",
    }
    return load_settings(env_file, environ)


async def _run(scene: Scene, collector: Collector, stop: asyncio.Event) -> None:
    """Until the end of the course or `stop`, and then until the buffer is empty."""
    course = scene.course
    if course.outage_s and not await passed(stop, course.outage_at_s - scene.elapsed_s):
        try:
            await _outage(scene, stop)
        except BrokerTrouble as trouble:
            scene.ring.say(f"the broker does not come back: {trouble}", "error")
    await passed(stop, None if course.duration_s is None else course.duration_s - scene.elapsed_s)
    scene.phase, scene.phase_ends = Phase.ENDING, None
    await scene.subscriber.until(
        lambda: collector.board.broker.connected and not collector.outbox.rests_on_disk, DRAINED_WITHIN_S
    )


async def _outage(scene: Scene, stop: asyncio.Event) -> None:
    scene.phase, scene.phase_ends = Phase.OUTAGE, scene.now + scene.course.outage_s
    scene.ring.say(f"the demo stops the broker for {scene.course.outage_s:g} s", "warning")
    await scene.broker.stop(lambda: _caught_up(scene))
    await passed(stop, scene.phase_ends - scene.now)
    await scene.broker.start(scene.subscriber.standing)
    scene.phase, scene.phase_ends = Phase.RUNNING, None
    scene.ring.say("the demo has started the broker again")


async def _caught_up(scene: Scene) -> bool:
    return await scene.subscriber.until(lambda: scene.books().received >= scene.books().acknowledged, _CLEARED_WITHIN_S)
