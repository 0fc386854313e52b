"""A backlog on its way out: how fast, in which order, and what new data sees of it."""

import asyncio
import json
import time
from pathlib import Path

import pytest

from collector.delivery.mqtt.options import MqttOptions
from tests.doubles.mosquitto import Mosquitto
from tests.doubles.stub_broker import Client, Published, StubBroker
from tests.integration.delivery_rig import DATA, Rig, rig, seq_of
from tests.integration.mqtt_ear import Ear

KB2 = 2_000


async def fill(folder: Path, messages: int) -> str:
    """What an earlier run left on disk; returns its epoch."""
    async with rig(folder, MqttOptions("127.0.0.1", 1), run=False) as r:
        for _ in range(messages // 500):
            r.record(500, size=KB2)
            await r.outbox.commit()
        return r.outbox.epoch


def metas(payloads: list[bytes]) -> list[dict[str, object]]:
    return [json.loads(payload)["meta"] for payload in payloads]


async def beat(r: Rig, every_s: float, recorded: dict[int, float]) -> None:
    while True:
        (seq,) = r.record(1, size=KB2)
        recorded[seq] = time.monotonic()
        await asyncio.sleep(every_s)


@pytest.mark.parametrize("live_first", [False, True])
async def test_a_backlog_drains_fast_and_new_data_takes_its_place_beside_or_behind(
    tmp_path: Path, live_first: bool
) -> None:
    """6,000 messages of 2 kB to Mosquitto as it is. From 20/s it is at full speed within a second, without stalls."""
    old = await fill(tmp_path / "o", 6_000)
    recorded: dict[int, float] = {}
    with Mosquitto() as broker, Ear(broker.port) as ear:
        async with rig(tmp_path / "o", MqttOptions("127.0.0.1", broker.port), live_first=live_first) as r:
            beating = asyncio.create_task(beat(r, 0.05, recorded))
            began = time.monotonic()
            await r.until(lambda: r.outbox.backlog == 0, 30)
            took_s = time.monotonic() - began
            beating.cancel()
            await r.until_delivered()
            await ear.until(lambda: len(ear.payloads(DATA)) == 6_000 + len(recorded))
            heard = metas(ear.payloads(DATA))
        backlog = [meta["seq"] for meta in heard if meta["epoch"] == old]
        live = [place for place, meta in enumerate(heard) if meta["epoch"] != old]
        assert backlog == list(range(1, 6_001)), "oldest first, each once"
        assert all(meta.get("buffered") for meta in heard if meta["epoch"] == old)
        assert took_s < 6
        assert r.books_balance()
        if live_first:
            assert live[0] < 100
            assert not any(heard[place].get("buffered") for place in live), "none of it waited"
        else:
            assert live[0] == 6_000
            assert heard[6_000].get("buffered")


async def test_live_first_new_data_is_never_two_seconds_behind_a_slow_broker(tmp_path: Path) -> None:
    """The broker takes 100 messages/s; 5 of them are new."""
    await fill(tmp_path / "o", 1_000)
    heard: dict[tuple[object, int], float] = {}
    free_at = 0.0

    def slowly(client: Client, message: Published) -> int | None:
        nonlocal free_at
        loop = asyncio.get_running_loop()
        free_at = max(free_at, loop.time()) + 0.01

        def answer() -> None:
            meta = json.loads(message.payload).get("meta", {})
            heard.setdefault((meta.get("epoch"), meta.get("seq", 0)), time.monotonic())
            client.puback(message, 0)

        loop.call_at(free_at, answer)
        return None

    recorded: dict[int, float] = {}
    async with (
        StubBroker(answer=slowly) as broker,
        rig(tmp_path / "o", MqttOptions("127.0.0.1", broker.port), live_first=True) as r,
    ):
        beating = asyncio.create_task(beat(r, 0.2, recorded))
        await asyncio.sleep(4)
        beating.cancel()
        old_ones = sum(epoch != r.outbox.epoch for epoch, _ in heard)
        await r.until(lambda: all((r.outbox.epoch, seq) in heard for seq in recorded))
        behind = [heard[r.outbox.epoch, seq] - at for seq, at in recorded.items()]
    print(f"live first, beside a backlog: new data at most {max(behind):.2f} s behind")
    assert max(behind) < 2
    assert old_ones > 150, "and the backlog goes on beside it"


async def test_a_rate_that_was_set_is_kept_to(tmp_path: Path) -> None:
    await fill(tmp_path / "o", 500)
    with Mosquitto() as broker, Ear(broker.port) as ear:
        async with rig(tmp_path / "o", MqttOptions("127.0.0.1", broker.port), replay_rate=200) as r:
            await r.until(lambda: r.board.broker.connected)
            await asyncio.sleep(1.5)
            assert 240 <= len(ear.payloads(DATA)) <= 330


async def test_fifo_drains_at_least_three_times_as_fast_as_it_grows(tmp_path: Path) -> None:
    await fill(tmp_path / "o", 500)
    recorded: dict[int, float] = {}
    with Mosquitto() as broker:
        async with rig(tmp_path / "o", MqttOptions("127.0.0.1", broker.port)) as r:
            beating = asyncio.create_task(beat(r, 0.01, recorded))
            began = time.monotonic()
            await r.until(lambda: r.outbox.backlog == 0)
            took_s = time.monotonic() - began
            beating.cancel()
            assert (500 + len(recorded)) / took_s > 3 * len(recorded) / took_s


async def test_after_a_break_in_live_first_everything_comes_and_nothing_comes_in_two_versions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collector.delivery.patience.PATIENCE_S", 0.5)
    await fill(tmp_path / "o", 500)

    def answer(client: Client, message: Published) -> int | None:
        if len(client.published) == 60 and len(broker.clients) < 6:
            client.writer.transport.abort()
            return None
        silent = message.topic == DATA and len(broker.clients) < 6 and seq_of(message.payload) % 7 == 0
        return None if silent else 0

    async with (
        StubBroker(answer=answer) as broker,
        rig(tmp_path / "o", MqttOptions("127.0.0.1", broker.port), live_first=True, commit_ms=5) as r,
    ):
        for _ in range(20):
            r.record(5)
            await asyncio.sleep(0.02)
        await r.until_delivered()
        assert r.board.buffer.acknowledged == 600
        versions: dict[tuple[object, ...], bytes] = {}
        for message in broker.messages:
            if message.topic == DATA:
                meta = json.loads(message.payload)["meta"]
                name = meta["epoch"], meta["seq"]
                assert versions.setdefault(name, message.payload) == message.payload
        assert len(versions) == 600
