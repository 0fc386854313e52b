"""What docs/pipeline.md tells a server to do comes out right, in Python and in JavaScript, whatever the order."""

import asyncio
import importlib.util
import json
import random
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from simulators.mqtt import MqttListener
from tests.doubles.mosquitto import Mosquitto

FOLDER = Path(__file__).parents[2] / "docs" / "examples" / "pipeline"
TOPIC = "vexplor/devices/edge-1/data"
RUN = """
import { Tables, store } from "%s";
import { readFileSync } from "node:fs";
const tables = new Tables(), live = [];
for (const [topic, payload] of JSON.parse(readFileSync(0, "utf8"))) live.push(store(tables, topic, payload));
console.log(JSON.stringify({
  raw: [...tables.rawData].map(([key, value]) => [...JSON.parse(key), value]),
  latest: [...tables.latest].map(([key, held]) => [...JSON.parse(key), held.time, held.value]),
  letters: tables.letters.size, edges: [...tables.edges].map(([id, body]) => [id, body.status ?? "online"]), live,
}));
"""


def data(minute: int, tags: dict[str, object], **meta: object) -> tuple[str, str]:
    body = {"timestamp": f"2026-04-17T08:{minute:02}:00.000Z", "connection_id": 1, "tags": tags, "meta": meta}
    return TOPIC, json.dumps(body, ensure_ascii=False)


MESSAGES = [
    data(5, {"온도": 25.4, "운전중": True}, epoch="b", seq=1),
    data(6, {"온도": 25.5}, epoch="b", seq=2),
    data(6, {"압력": [1, 2]}, epoch="b", seq=3, part=[2, 2]),
    data(1, {"온도": 19.5, "운전중": False}, epoch="a", seq=7, buffered=True),
    data(2, {}, epoch="a", seq=8, quality={"*": "timeout"}),
    ("vexplor/devices/edge-1/events", '{"type": "drained", "timestamp": "2026-04-17T08:07:00.000Z"}'),
    ("vexplor/devices/edge-1/responses", '{"command_id": "c-1", "status": "success"}'),
]
ROWS = {
    ("온도", "2026-04-17T08:05:00.000Z", "25.4"), ("운전중", "2026-04-17T08:05:00.000Z", "true"),
    ("온도", "2026-04-17T08:06:00.000Z", "25.5"), ("압력", "2026-04-17T08:06:00.000Z", "[1, 2]"),
    ("온도", "2026-04-17T08:01:00.000Z", "19.5"), ("운전중", "2026-04-17T08:01:00.000Z", "false"),
}  # fmt: skip
LATEST = {("온도", "25.5"), ("운전중", "true"), ("압력", "[1, 2]")}


def orders() -> Iterator[list[tuple[str, str]]]:
    """In order, backwards, and shuffled with repetitions."""
    yield MESSAGES
    yield MESSAGES[::-1]
    for seed in range(30):
        order = [*MESSAGES, *MESSAGES, *MESSAGES[:3]]
        random.Random(seed).shuffle(order)
        yield order


def example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("store", FOLDER / "store.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def tables(database: sqlite3.Connection) -> tuple[set[Any], set[Any], int]:
    raw = set(database.execute("SELECT tag, time, value FROM raw_data"))
    latest = set(database.execute("SELECT tag, value FROM latest"))
    ((letters,),) = database.execute("SELECT count(*) FROM letters")
    return raw, latest, letters


def test_in_python_any_order_and_repetition_give_the_same_tables() -> None:
    module = example()
    for order in orders():
        database = module.open_tables(":memory:")
        for topic, payload in order:
            live = module.store(database, topic, payload.encode())
            assert not ("buffered" in payload and live), "a bell for yesterday"
        assert tables(database) == (ROWS, LATEST, 2)
        database.close()


def test_in_javascript_too(tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is missing")
    module = example()
    script = tmp_path / "run.mjs"
    script.write_text(RUN % (FOLDER / "store.mjs").as_uri(), "utf-8")
    for order in [*orders()][:4]:
        done = subprocess.run(
            [node, script], input=json.dumps(order), capture_output=True, text=True, check=True, timeout=20
        )
        said = json.loads(done.stdout)
        assert {(tag, at, json.dumps(value)) for _, _, at, tag, value in said["raw"]} == ROWS
        latest = {(tag, json.dumps(value)) for _, _, tag, _, value in said["latest"]}
        assert (latest, said["letters"]) == (LATEST, 2)
        database = module.open_tables(":memory:")
        assert said["live"] == [module.store(database, topic, payload.encode()) for topic, payload in order]
        database.close()


def test_the_statements_on_the_page_are_those_of_the_example() -> None:
    page, module = (FOLDER.parents[1] / "pipeline.md").read_text("utf-8"), example()
    words = page.split()
    for statement in (module.RAW, module.LATEST):
        assert " ".join(statement.split()) in " ".join(words)


async def test_the_subscriber_stores_what_comes_in_all_its_lives(tmp_path: Path) -> None:
    file = tmp_path / "pipeline.db"
    with Mosquitto() as broker:
        async with MqttListener(broker.url, lambda *_: None, topics=("none",)) as sender:
            await sender.ready()
            for lives in (MESSAGES[:3], MESSAGES[3:]):
                process = subprocess.Popen(
                    [sys.executable, FOLDER / "subscribe.py", broker.url, str(file)], stdout=subprocess.PIPE, text=True
                )
                try:
                    hello = time.monotonic() + 10
                    while not file.exists() or not _published(sender, lives, file):
                        assert time.monotonic() < hello
                        await asyncio.sleep(0.1)
                finally:
                    process.terminate()
                    process.communicate()
    database = sqlite3.connect(file)
    assert tables(database) == (ROWS, LATEST, 2)
    database.close()


def _published(sender: MqttListener, messages: list[tuple[str, str]], file: Path) -> bool:
    """Say all of it again until the last of it is stored: repetitions do no harm."""
    for topic, payload in messages:
        sender.publish(topic, payload.encode())
    database = sqlite3.connect(file)
    try:
        raw, _, letters = tables(database)
    except sqlite3.OperationalError:
        return False
    finally:
        database.close()
    return len(raw) >= 4 if messages[0] == MESSAGES[0] else (len(raw), letters) == (6, 2)
