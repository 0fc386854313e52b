"""Broker and network as a line makes them: slow, cut, silent, gone. Rows B1, B4, B5, B6, B7, B14 of the faults."""

import asyncio
import os
import random
import socket
import time
from pathlib import Path

import pytest

from collector.delivery import patience, session
from collector.delivery.mqtt.options import MqttOptions, MqttVersion
from tests.doubles.line import Line
from tests.doubles.mosquitto import Mosquitto
from tests.doubles.stub_broker import Client, Published, StubBroker
from tests.integration.delivery_rig import DATA, rig, seq_of
from tests.integration.mqtt_ear import Ear

CUTS = int(os.environ.get("B7_CUTS", "25"))
CYCLES = int(os.environ.get("B1_CYCLES", "4"))


async def test_b1_a_broker_that_dies_again_and_again_gets_everything_in_the_end(tmp_path: Path) -> None:
    rng = random.Random(1)
    with Mosquitto() as broker:
        async with rig(tmp_path / "o", MqttOptions("127.0.0.1", broker.port), reconnect_max_s=1) as r:
            for _ in range(CYCLES):
                r.record(50)
                await asyncio.to_thread(broker.kill)
                r.record(50)
                await asyncio.sleep(rng.uniform(0.05, 0.5))
                await asyncio.to_thread(broker.start)
                back = time.monotonic()
                await r.until(lambda: r.board.broker.connected)
                await r.until_delivered()
                assert time.monotonic() - back < 3, "the cap of the back-off and two seconds"
            assert r.board.buffer.acknowledged == 100 * CYCLES
            assert "duplicate_identity" not in r.board.conditions


async def test_b4_a_line_that_swallows_everything_is_given_up_and_nothing_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "PATIENCE_S", 1.0)
    with Mosquitto() as broker:
        async with Line(broker.port) as line, rig(tmp_path / "o", MqttOptions("127.0.0.1", line.port)) as r:
            r.record(10)
            await r.until_delivered()
            line.swallow = True
            r.record(30)
            await r.until(lambda: not r.board.broker.connected)
            assert "no PUBACK" in str(r.board.broker.error)
            line.swallow = False
            await r.until_delivered()
            assert r.board.buffer.acknowledged == 40


async def test_b4_an_idle_line_that_is_dead_is_noticed_by_keep_alive(tmp_path: Path) -> None:
    with Mosquitto() as broker:
        async with Line(broker.port) as line:
            quick = MqttOptions("127.0.0.1", line.port, keepalive_s=1)
            async with rig(tmp_path / "o", quick) as r:
                await r.until(lambda: r.board.broker.connected)
                line.swallow = True
                await r.until(lambda: not r.board.broker.connected, 5)
                assert r.board.broker.error == "no answer to keep-alive"


async def test_b5_nothing_is_sent_twice_on_one_connection_and_the_window_halves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "PATIENCE_S", 1.0)

    def swallow(client: Client, _message: Published) -> int | None:
        return None if client in broker.clients[:3] else 0

    async with StubBroker(answer=swallow) as broker, rig(tmp_path, MqttOptions("127.0.0.1", broker.port)) as r:
        r.record(200)
        await r.until(lambda: "ack_stalled" in r.board.conditions)
        await r.until_delivered()
        for client in broker.clients:
            packets = [message.packet_id for message in client.published]
            seqs = [seq_of(message.payload) for message in client.published if message.topic == DATA]
            assert len(set(packets)) == len(packets)
            assert seqs == sorted(set(seqs)), "in order, and each once"
            assert not any(message.dup for message in client.published), "a new session knows no repetition"
        assert [client.most_unanswered for client in broker.clients[:3]] == [64, 32, 16]
        assert r.board.buffer.acknowledged == 200


async def test_b5_one_puback_that_is_passed_over_is_noticed_whatever_else_is_acknowledged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "PATIENCE_S", 1.0)

    def pass_over(client: Client, message: Published) -> int | None:
        return None if client is broker.clients[0] and len(client.published) == 3 else 0

    async with StubBroker(answer=pass_over) as broker, rig(tmp_path, MqttOptions("127.0.0.1", broker.port)) as r:
        while len(broker.clients) < 2:
            r.record()
            r.publisher.publish_status(b'{"status":"online"}')
            await asyncio.sleep(0.02)
        await r.until_delivered()
        assert r.board.buffer.acknowledged == r.board.buffer.recorded


async def test_b6_a_slow_uplink_is_not_a_dead_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A message takes longer than the patience for PUBACKs, and its bytes keep moving."""
    monkeypatch.setattr(patience, "PATIENCE_S", 1.5)
    monkeypatch.setattr(session, "_LOOK_EVERY_S", 0.3)
    with Mosquitto() as broker:
        async with (
            Line(broker.port, bytes_per_s=60_000) as line,
            rig(tmp_path / "o", MqttOptions("127.0.0.1", line.port)) as r,
        ):
            await r.until(lambda: r.board.broker.connected)
            r.record(2, size=120_000)
            await r.until_delivered(30)
            assert (line.connections, r.board.broker.connects) == (1, 1)
            assert r.board.buffer.acknowledged == 2


async def test_b7_a_line_cut_at_any_byte_costs_nothing_and_repeats_no_more_than_a_window(tmp_path: Path) -> None:
    """`B7_CUTS=1000` for the long run."""
    rng = random.Random(7)
    with Mosquitto() as broker, Ear(broker.port) as ear:
        async with (
            Line(broker.port) as line,
            rig(tmp_path / "o", MqttOptions("127.0.0.1", line.port), reconnect_max_s=0.01) as r,
        ):
            for _ in range(CUTS):
                line.cut_after(rng.randrange(1, 30_000))
                connects = line.connections
                r.record(rng.randrange(20, 120))
                await r.until(lambda before=connects: line.connections > before or r.outbox.idle)  # type: ignore[misc]
            line.cut_after(None)
            await r.until_delivered(60)
            last = r.outbox.last_seq
            await ear.until(lambda: last in ear.seqs(DATA))
            heard = ear.payloads(DATA)
            by_seq: dict[int, bytes] = {}
            for payload in heard:
                assert by_seq.setdefault(seq_of(payload), payload) == payload
            assert sorted(by_seq) == list(range(1, last + 1))
            assert len(heard) - last <= 64 * line.connections
            assert r.books_balance()
            assert "duplicate_identity" not in r.board.conditions


async def test_b14_a_resolver_that_hangs_is_given_five_seconds_and_blocks_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collector.delivery.mqtt.opening._RESOLVE_S", 0.3)
    real = socket.getaddrinfo
    hang = True

    def resolve(host: str, *arguments: object, **more: object) -> object:
        if host == "broker.example" and hang:
            time.sleep(1.0)
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return real("127.0.0.1" if host == "broker.example" else host, *arguments, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    loop = asyncio.get_running_loop()
    with Mosquitto() as broker:
        async with rig(tmp_path / "o", MqttOptions("broker.example", broker.port)) as r:
            r.record(3)
            began, slowest = loop.time(), 0.0
            while r.board.broker.error is None:
                before = loop.time()
                await asyncio.sleep(0.01)
                slowest = max(slowest, loop.time() - before)
            assert 0.2 < loop.time() - began < 0.8
            assert slowest < 0.2, "the loop goes on"
            assert "no answer in time" in str(r.board.broker.error)
            hang = False
            await r.until_delivered()


async def test_b14_a_name_is_resolved_anew_for_each_connection_and_its_failure_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = socket.getaddrinfo
    where: dict[str, int | None] = {"port": None}

    def resolve(host: str, port: object, *arguments: object, **more: object) -> object:
        if host != "broker.example":
            return real(host, port, *arguments, **more)  # type: ignore[arg-type]
        if where["port"] is None:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return real("127.0.0.1", where["port"], *arguments, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    async with (
        StubBroker() as first,
        StubBroker() as second,
        rig(tmp_path / "o", MqttOptions("broker.example", 1883, versions=(MqttVersion.V5,))) as r,
    ):
        await r.until(lambda: r.board.broker.error is not None)
        assert r.board.broker.error == "cannot resolve the broker's name 'broker.example': Name or service not known"
        where["port"] = first.port
        await r.until(lambda: r.board.broker.connected)
        where["port"] = second.port
        r.record(1)
        await r.until_delivered()
        assert len(second.clients) == 0, "a connection that stands is kept"
        first.clients[0].writer.transport.abort()
        r.record(1)
        await r.until(lambda: bool(second.clients))
        await r.until_delivered()
