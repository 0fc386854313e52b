"""The publisher against a broker that misbehaves."""

import struct
import time
from pathlib import Path

import pytest

from collector.delivery import patience
from collector.delivery.mqtt.options import MqttOptions, MqttVersion
from tests.doubles.stub_broker import Answer, Client, Published, StubBroker
from tests.integration.delivery_rig import DATA, EVENTS, STATUS, rig, seq_of


def options(broker: StubBroker) -> MqttOptions:
    return MqttOptions("127.0.0.1", broker.port)


def is_gap(message: Published) -> bool:
    """Beside them a slow machine may tell of a backlog that has drained."""
    return message.topic == EVENTS and b'"gap"' in message.payload


def data(messages: list[Published]) -> list[int]:
    return [seq_of(message.payload) for message in messages if message.topic == DATA]


@pytest.mark.parametrize("close", [True, False])
async def test_a_broker_that_does_not_know_version_5_gets_3_1_1(tmp_path: Path, close: bool) -> None:
    async with StubBroker(levels=(4,), close_unknown=close) as broker, rig(tmp_path, options(broker)) as r:
        began = time.monotonic()
        r.record(3)
        await r.until_delivered()
        assert broker.attempts == [5, 4]
        assert time.monotonic() - began < (1.5 if close else 4.5)
        assert r.board.broker.protocol == "3.1.1"
        broker.clients[0].writer.close()
        r.record()
        await r.until_delivered()
        assert broker.attempts == [5, 4, 4]


async def test_a_refused_version_gets_the_older_one_at_once(tmp_path: Path) -> None:
    async with StubBroker(connack=0x84) as broker, rig(tmp_path, options(broker)) as r:
        await broker.until(lambda: broker.attempts[:2] == [5, 4])
        broker.connack = 0
        r.record()
        await r.until_delivered()


async def test_a_refused_password_is_said_in_words_and_tried_again(tmp_path: Path) -> None:
    async with StubBroker(connack=0x86) as broker, rig(tmp_path, options(broker)) as r:
        await r.until(lambda: r.board.broker.error is not None)
        assert "bad user name or password" in str(r.board.broker.error)
        assert set(broker.attempts) == {5}
        broker.connack = 0
        r.record()
        await r.until_delivered()
        assert r.board.broker.error is None


async def test_nothing_happens_before_the_config_was_asked_for(tmp_path: Path) -> None:
    async with StubBroker() as broker, rig(tmp_path, options(broker), ready=False) as r:
        r.record()
        await r.outbox.commit()
        assert broker.attempts == []
        r.ready.set()
        await r.until_delivered()


async def test_the_window_keeps_to_receive_maximum_and_the_status_goes_first(tmp_path: Path) -> None:
    held: list[tuple[Client, Published]] = []

    def hold(client: Client, message: Published) -> None:
        held.append((client, message))

    async with (
        StubBroker(properties=b"\x21" + struct.pack("!H", 3), answer=hold) as broker,
        rig(tmp_path, options(broker), commit_ms=10_000) as r,
    ):
        r.record(20)
        await broker.until(lambda: len(held) == 3)
        assert held[0][1].topic == STATUS
        for number in range(21):
            await broker.until(lambda: bool(held))
            client, message = held.pop(0)
            client.puback(message, 0 if number % 2 else 0x10)
        await r.until_delivered()
        assert broker.clients[0].most_unanswered == 3
        assert data(broker.messages) == list(range(1, 21))
        assert r.board.buffer.acknowledged == 20


async def test_messages_over_the_maximum_packet_size_are_refused_and_the_others_pass(tmp_path: Path) -> None:
    async with (
        StubBroker(properties=b"\x27" + struct.pack("!I", 1000)) as broker,
        rig(tmp_path, options(broker)) as r,
    ):
        r.record(1)
        r.record(1, size=2000)
        r.record(1)
        await broker.until(lambda: any(map(is_gap, broker.messages)))
        await r.until_delivered()
        assert data(broker.messages) == [1, 3]
        assert (r.board.buffer.acknowledged, r.board.buffer.dropped) == (2, 1)


@pytest.mark.parametrize("code", [0x80, 0x83, 0x90, 0x99])
async def test_b10_a_refusal_of_the_message_costs_only_that_message(tmp_path: Path, code: int) -> None:
    def answer(_client: Client, message: Published) -> int:
        return code if message.topic == DATA and seq_of(message.payload) == 2 else 0

    async with StubBroker(answer=answer) as broker, rig(tmp_path, options(broker)) as r:
        r.record(4)
        await broker.until(lambda: any(map(is_gap, broker.messages)))
        await r.until_delivered()
        (gap,) = filter(is_gap, broker.messages)
        assert b'"from_seq": 2, "to_seq": 2, "count": 1' in gap.payload
        assert (r.board.buffer.acknowledged, r.board.buffer.dropped) == (3, 1)
        assert len(broker.clients) == 1


async def test_a_code_that_puback_may_not_have_costs_only_its_message(tmp_path: Path) -> None:
    """0x95 in a PUBACK is against the standard, and what Mosquitto answers to messages over its limit."""

    def answer(_client: Client, message: Published) -> int:
        return 0x95 if message.topic == DATA and seq_of(message.payload) == 3 else 0

    async with StubBroker(answer=answer) as broker, rig(tmp_path, options(broker)) as r:
        r.record(6)
        await r.until(lambda: r.board.buffer.dropped == 1)
        await r.until_delivered()
        assert set(data(broker.messages)) == {1, 2, 3, 4, 5, 6}
        assert r.board.buffer.acknowledged == 5


@pytest.mark.parametrize("code", [0x87, 0x97])
async def test_b9_a_refusal_of_the_account_keeps_the_data_and_its_order(tmp_path: Path, code: int) -> None:
    refusing = True

    def answer(_client: Client, message: Published) -> int:
        return code if refusing and message.topic == DATA else 0

    async with StubBroker(answer=answer) as broker, rig(tmp_path, options(broker)) as r:
        r.record(10)
        await r.until(lambda: "broker_refuses" in r.board.conditions)
        assert DATA in r.board.conditions["broker_refuses"].detail
        refusing = False
        before = len(broker.messages)
        await r.until_delivered()
        assert data(broker.messages[before:]) == list(range(1, 11))
        assert (r.board.buffer.acknowledged, r.board.buffer.dropped) == (10, 0)
        assert "broker_refuses" not in r.board.conditions
        assert len(broker.clients) == 1


async def test_after_a_close_in_mid_stream_everything_unacknowledged_comes_again_byte_for_byte(
    tmp_path: Path,
) -> None:
    def answer(client: Client, message: Published) -> int | None:
        if len(broker.clients) <= 4 and len(client.published) == 7 * len(broker.clients):
            client.writer.transport.abort()
            return None
        return 0

    async with StubBroker(answer=answer) as broker, rig(tmp_path, options(broker)) as r:
        r.record(100)
        await r.until_delivered()
        assert len(broker.clients) == 5
        first: dict[int, bytes] = {}
        for client in broker.clients:
            seqs = data(client.published)
            assert seqs == list(range(seqs[0], seqs[-1] + 1))
            for message in client.published:
                if message.topic == DATA:
                    assert first.setdefault(seq_of(message.payload), message.payload) == message.payload
        assert sorted(first) == list(range(1, 101))
        assert r.board.buffer.acknowledged == 100


async def test_a_broker_that_acknowledges_nothing_is_left_and_met_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert patience.PATIENCE_S == 10
    monkeypatch.setattr(patience, "PATIENCE_S", 1.0)

    def swallow(_client: Client, _message: Published) -> int | None:
        return None if len(broker.clients) <= 3 else 0

    answer: Answer = swallow
    async with StubBroker(answer=answer) as broker, rig(tmp_path, options(broker)) as r:
        r.record(5)
        await r.until(lambda: "ack_stalled" in r.board.conditions)
        await r.until_delivered()
        assert "ack_stalled" not in r.board.conditions
        for client in broker.clients:
            assert data(client.published) == [1, 2, 3, 4, 5]


async def test_commands_come_in_with_their_retained_flag(tmp_path: Path) -> None:
    async with StubBroker() as broker, rig(tmp_path, options(broker)) as r:
        await broker.until(lambda: bool(broker.clients) and bool(broker.clients[0].subscriptions))
        broker.clients[0].deliver("vexplor/devices/edge/commands", b'{"command":"ping"}')
        broker.clients[0].deliver("vexplor/devices/edge/commands", b"{}", retained=True)
        await r.until(lambda: len(r.commands) == 2)
        assert r.commands == [(b'{"command":"ping"}', False), (b"{}", True)]


async def test_a_drain_sends_what_is_in_memory_then_the_farewell_then_goodbye(tmp_path: Path) -> None:
    async with StubBroker() as broker, rig(tmp_path, options(broker), commit_ms=60_000) as r:
        await r.until(lambda: r.board.broker.connected)
        r.record(50)
        await r.publisher.drain(5, lambda: b'{"status":"offline","reason":"shutdown"}')
        assert broker.messages[-1].payload == b'{"status":"offline","reason":"shutdown"}'
        assert data(broker.messages) == list(range(1, 51))
        await broker.until(lambda: broker.clients[0].said_goodbye)
        assert not r.board.broker.connected


async def test_one_version_only_if_so_configured(tmp_path: Path) -> None:
    async with StubBroker() as broker:
        only = MqttOptions("127.0.0.1", broker.port, versions=(MqttVersion.V311,))
        async with rig(tmp_path, only) as r:
            r.record()
            await r.until_delivered()
            assert broker.attempts == [4]


async def test_reconnects_leak_no_descriptors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collector.delivery.rivalry._WITHIN_S", -1.0)  # it would take the closes for a rival's
    descriptors = Path("/proc/self/fd")
    async with (
        StubBroker() as broker,
        rig(tmp_path, MqttOptions("127.0.0.1", broker.port), reconnect_max_s=0.01) as r,
    ):
        counts = []
        for number in range(1, 31):
            await broker.until(lambda number=number: len(broker.clients) == number)  # type: ignore[misc]
            r.record()
            await r.until_delivered()
            counts.append(len(list(descriptors.iterdir())))
            broker.clients[-1].writer.transport.abort()
        assert max(counts[-10:]) <= max(counts[:10]) + 2
        assert r.board.buffer.acknowledged == 30
