"""What the floor of `make bench` publishes is what the simulated device holds: a floor that reads less is none."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import orjson
import pytest

from tests.benchmarks.processes import first_line, running
from tests.benchmarks.site import Site, site
from tests.benchmarks.subscriber import Received
from tests.benchmarks.tags import READINGS, reading

INTERVAL_S = 0.2
PATIENCE_S = 150.0
pytestmark = pytest.mark.timeout(200)


@contextmanager
def floor_at(folder: Path, protocol: str, words: int) -> Iterator[Site]:
    with site(folder) as at, running(python("devices", protocol, 1, words)) as device:
        arguments = (protocol, at.broker_port, INTERVAL_S, "now", words, first_line(device))
        with running(python("floor", *arguments)):
            yield at


def python(module: str, *arguments: object) -> Sequence[str]:
    return (sys.executable, "-m", f"tests.benchmarks.{module}", *map(str, arguments))


def words_in(message: Received) -> list[int]:
    return [round(value * 10) for value in orjson.loads(message.payload)["tags"].values()]


@pytest.mark.parametrize(("protocol", "words"), [("modbus_tcp", 130), ("s7", 240), ("xgt", 710), ("opcua", 510)])
def test_every_word_is_in_every_message(tmp_path: Path, protocol: str, words: int) -> None:
    """More words than one question is for."""
    with floor_at(tmp_path, protocol, words) as at:
        at.subscriber.until("floor", 3, PATIENCE_S)
        assert [words_in(message) for message in at.subscriber.of("floor")[:3]] == [[*map(reading, range(words))]] * 3


def test_a_subscription_follows_every_word(tmp_path: Path) -> None:
    words, seen = 510, set[int]()
    with floor_at(tmp_path, "opcua_changing", words) as at:
        came = 0
        while len(seen) < 3:
            came += 1
            at.subscriber.until("floor", came, PATIENCE_S)
            found = words_in(at.subscriber.of("floor")[came - 1])
            turns = {(word - reading(number)) % READINGS for number, word in enumerate(found)}
            seen |= turns if len(turns) == 1 else set()
