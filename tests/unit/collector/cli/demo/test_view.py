"""The live view, drawn without a terminal."""

import io

import pytest
from rich.cells import cell_len
from rich.console import Console

from collector.cli.demo.brokers import EmbeddedBehindDoor
from collector.cli.demo.course import Course
from collector.cli.demo.hall import EDGE_ID
from collector.cli.demo.machines import MACHINES, Machine
from collector.cli.demo.plain import progress_line
from collector.cli.demo.report import Cycle
from collector.cli.demo.ring import Ring
from collector.cli.demo.scene import Phase, Scene
from collector.cli.demo.subscriber import Subscriber
from collector.cli.demo.view import draw
from collector.config.plan import DevicePlan
from collector.polling.scan import Scan
from collector.status.board import Board, DeviceCondition
from protocols.base import Value
from protocols.modbus.connection import read_connection
from protocols.quality import Quality
from tests.doubles.clock import FakeClock


def _scan(machine: Machine, values: dict[str, Value | None], stamp_ms: int) -> Scan:
    connection = read_connection({"host": "127.0.0.1", "port": 40_123, "unit_id": 7}, 3)
    plan = DevicePlan(
        machine.device_id, machine.name, "modbus_tcp", connection, (), tuple(values), machine.device_id, None, 0
    )
    bad = {place: Quality.TIMEOUT for place, value in enumerate(values.values()) if value is None}
    return Scan(plan, stamp_ms, tuple(values), list(values.values()), bad)


@pytest.fixture
def scene() -> Scene:
    clock = FakeClock()
    board = Board(clock)
    scene = Scene(
        Course(60, 20, 30),
        board,
        EmbeddedBehindDoor(),
        "http://127.0.0.1:41000",
        Subscriber("mqtt://127.0.0.1:1", persistent=False),
        Ring(),
        clock=clock,
        link="http://127.0.0.1:42000/#token",
    )
    for machine in MACHINES:
        board.device(machine.device_id, machine.name, DeviceCondition.ONLINE)
    board.device("3", "충전라인_S7_02", DeviceCondition.DEGRADED, "no good value for 충전수량")
    for step in range(5):
        for machine in MACHINES:
            values: dict[str, Value | None] = dict.fromkeys(machine.units, 100.25 + step)
            if machine.device_id == "3":
                values["충전수량"] = None
            scene.figures.take(Cycle.of(_scan(machine, values, clock.wall_ms()), clock.monotonic()))
        scene.note()
        clock.advance(1)
    scene.ring.say("the broker is away", "warning")
    return scene


def _screen(scene: Scene, width: int, height: int) -> list[str]:
    console = Console(file=io.StringIO(), width=width, height=height, color_system=None)
    with console.capture() as captured:
        console.print(draw(scene, width, height))
    return captured.get().splitlines()


@pytest.mark.parametrize(("width", "height"), [(80, 24), (100, 32), (120, 40), (200, 50), (60, 20)])
def test_it_fills_the_screen_and_never_overflows_it(scene: Scene, width: int, height: int) -> None:
    lines = _screen(scene, width, height)
    assert len(lines) == height
    assert {cell_len(line) for line in lines} == {width}
    text = "\n".join(lines)
    assert all(word in text for word in ("Devices", "Values", "Broker and buffer", "Events", "the broker is away"))


@pytest.mark.parametrize(("width", "height"), [(80, 24), (100, 32), (120, 40), (200, 50)])
def test_it_names_devices_states_rates_and_values(scene: Scene, width: int, height: int) -> None:
    text = "\n".join(_screen(scene, width, height))
    assert all(machine.name in text for machine in MACHINES)
    assert all(word in text for word in ("● online", "● degraded", "modbus_tcp", ":40123", "6.0 msg/s", "104.25"))
    assert ("127.0.0.1:40123 unit 7" in text) == (width >= 100)


def test_on_a_small_screen_the_devices_take_turns(scene: Scene) -> None:
    seen = set()
    for _ in MACHINES:
        text = "\n".join(_screen(scene, 80, 24))
        seen.add(text[text.index("Values ") :][:10])
        assert isinstance(scene.clock, FakeClock)
        scene.clock.advance(4)
    assert seen == {f"Values {turn}/6" for turn in (1, 2, 3, 4, 5, 6)}


def test_a_large_screen_says_what_to_try(scene: Scene) -> None:
    text = "\n".join(_screen(scene, 200, 50))
    assert all(hint in text for hint in scene.hints)
    assert "open http://127.0.0.1:42000/#token" in text
    assert f"curl -s http://127.0.0.1:41000/api/fleet/v1/edges/{EDGE_ID}/latest" in text


def test_the_outage_counts_down_and_the_buffer_fills(scene: Scene) -> None:
    scene.phase, scene.phase_ends = Phase.OUTAGE, scene.now + 12
    scene.board.buffer.messages = scene.board.buffer.recorded = 30
    scene.note()
    text = "\n".join(_screen(scene, 120, 40))
    assert "stopped, back in 12 s" in text
    assert "waiting 30 (0 B), peak 30" in text
    assert "█" in text


def test_before_the_first_value_it_says_so(scene: Scene) -> None:
    scene.figures.devices.clear()
    assert "the first values are on their way" in "\n".join(_screen(scene, 80, 24))


def test_the_plain_line_says_the_same(scene: Scene) -> None:
    line = progress_line(scene)
    assert "devices 5/6 online" in line
    assert "broker connecting" in line
    assert "made 0, acknowledged 0, waiting 0, received 0, duplicates 0, lost 0" in line
    assert "생산수량 104.25 개, 토출압력 104.25 bar, 충전수량 –, 체결토크 104.25 Nm, 충전량 104.25 g" in line
    assert "CPU사용률 104.25 %" in line
