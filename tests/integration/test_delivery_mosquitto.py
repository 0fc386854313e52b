"""The outbox and the publisher against a real Mosquitto that dies, hangs and refuses."""

import gc
import json
import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from collector.delivery.mqtt.options import MqttOptions, MqttVersion, TlsOptions
from tests.doubles.mosquitto import Mosquitto, free_port
from tests.integration.delivery_rig import COMMANDS, DATA, EVENTS, OFFLINE, STATUS, rig, seq_of
from tests.integration.mqtt_ear import Ear


@pytest.fixture
def broker() -> Iterator[Mosquitto]:
    with Mosquitto() as running:
        yield running


def options(broker: Mosquitto) -> MqttOptions:
    return MqttOptions("127.0.0.1", broker.port)


async def test_everything_arrives_in_order_over_an_outage(broker: Mosquitto, tmp_path: Path) -> None:
    async with rig(tmp_path / "outbox", options(broker)) as r:
        with Ear(broker.port) as ear:
            r.record(100)
            await r.until_delivered()
            await ear.until(lambda: len(ear.seqs(DATA)) == 100)
        broker.kill()
        await r.until(lambda: not r.board.broker.connected)
        r.record(500)
        await r.until(lambda: r.outbox.rests_on_disk)
        broker.start()
        with Ear(broker.port) as ear:
            r.record(100)
            await r.until_delivered()
            await ear.until(lambda: 700 in ear.seqs(DATA))
            seqs = ear.seqs(DATA)
        assert seqs == list(range(seqs[0], 701))
        assert r.books_balance()
        assert r.board.buffer.acknowledged == 700


async def test_what_was_recorded_while_no_broker_was_there_survives_a_restart_and_is_told_when_drained(
    broker: Mosquitto, tmp_path: Path
) -> None:
    broker.stop()
    async with rig(tmp_path / "outbox", options(broker)) as r:
        epoch = r.outbox.epoch
        r.record(300)
    broker.start()
    with Ear(broker.port) as ear:
        async with rig(tmp_path / "outbox", options(broker)) as r:
            r.record(10)
            await r.until_delivered()
            await ear.until(lambda: len(ear.payloads(DATA)) == 310)
            await ear.until(lambda: any(b"drained" in payload for payload in ear.payloads(EVENTS)))
        metas = [json.loads(payload)["meta"] for payload in ear.payloads(DATA)]
    assert [meta["seq"] for meta in metas[:300]] == list(range(1, 301))
    assert {(meta["epoch"], meta.get("buffered")) for meta in metas[:300]} == {(epoch, True)}


async def test_a_killed_collector_leaves_its_last_will_and_a_drained_one_does_not(
    broker: Mosquitto, tmp_path: Path
) -> None:
    with Ear(broker.port) as ear:
        async with rig(tmp_path / "outbox", options(broker)) as r:
            await r.until(lambda: r.board.broker.connected)
        await ear.until(lambda: OFFLINE in ear.payloads(STATUS))
        heard = len(ear.payloads(STATUS))
        async with rig(tmp_path / "outbox", options(broker)) as r:
            await r.until(lambda: r.board.broker.connected)
            await r.publisher.drain(3, lambda: b'{"status":"offline","reason":"shutdown"}')
        await ear.until(lambda: any(b"shutdown" in payload for payload in ear.payloads(STATUS)))
        assert OFFLINE not in ear.payloads(STATUS)[heard:]


async def test_commands_arrive(broker: Mosquitto, tmp_path: Path) -> None:
    with Ear(broker.port) as ear:
        async with rig(tmp_path / "outbox", options(broker)) as r:
            await r.until(lambda: broker.log.count("Sending SUBACK to edge-collector-edge") == 1)
            ear.say(COMMANDS, b'{"command":"ping"}')
            await r.until(lambda: bool(r.commands))
            assert r.commands == [(b'{"command":"ping"}', False)]


async def test_a_message_over_the_brokers_limit_costs_only_itself(tmp_path: Path) -> None:
    with Mosquitto(lines=["message_size_limit 5000"]) as broker:
        async with rig(tmp_path / "outbox", options(broker)) as r:
            r.record(5)
            r.record(1, size=20_000)
            r.record(5)
            await r.until(lambda: r.board.buffer.dropped == 1)
            await r.until_delivered()
            assert r.board.buffer.acknowledged == 10


async def test_a_broker_that_denies_the_topic_is_waited_for(tmp_path: Path) -> None:
    acl = tmp_path / "acl"
    acl.write_text(f"topic write {STATUS}\ntopic read #\n")
    acl.chmod(0o644)
    with Mosquitto(lines=[f"acl_file {acl}"]) as broker:
        async with rig(tmp_path / "outbox", options(broker)) as r:
            r.record(20)
            await r.until(lambda: "broker_refuses" in r.board.conditions)
            assert "not authorised" in r.board.conditions["broker_refuses"].detail
            assert (r.board.buffer.messages, r.board.buffer.dropped) == (20, 0)
            broker.stop()
            broker.lines.clear()
            broker.start()
            await r.until_delivered()
            assert r.board.buffer.acknowledged == 20


async def test_a_wrong_password_is_said_in_words(tmp_path: Path) -> None:
    passwords = tmp_path / "passwords"
    passwords.write_text("edge:$7$101$AAAA$AAAA\n")
    passwords.chmod(0o644)
    with Mosquitto(lines=["allow_anonymous false", f"password_file {passwords}"]) as broker:
        wrong = MqttOptions("127.0.0.1", broker.port, username="edge", password="canary-secret")
        assert "canary" not in repr(wrong)
        async with rig(tmp_path / "outbox", wrong) as r:
            await r.until(lambda: r.board.broker.error is not None)
            assert "not authorised" in str(r.board.broker.error) or "password" in str(r.board.broker.error)
            assert "canary" not in str(r.board.broker.error)


async def test_a_hanging_broker_is_noticed_and_loses_nothing(
    broker: Mosquitto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collector.delivery.patience.PATIENCE_S", 1.5)
    quick = MqttOptions("127.0.0.1", broker.port, versions=(MqttVersion.V5,))
    async with rig(tmp_path / "outbox", quick) as r:
        r.record(10)
        await r.until_delivered()
        broker.pause()
        r.record(50)
        await r.until(lambda: not r.board.broker.connected)
        assert r.board.buffer.messages == 50
        broker.resume()
        await r.until_delivered()
        assert r.board.buffer.acknowledged == 60


async def test_websockets(tmp_path: Path) -> None:
    port = free_port()
    with Mosquitto(lines=[f"listener {port} 127.0.0.1", "protocol websockets"]) as broker:
        over_ws = MqttOptions("127.0.0.1", port, transport="websockets", path="/mqtt")
        with Ear(broker.port) as ear:
            async with rig(tmp_path / "outbox", over_ws) as r:
                r.record(300)
                await r.until_delivered()
                await ear.until(lambda: len(ear.seqs(DATA)) == 300)
            assert ear.seqs(DATA) == list(range(1, 301))


def certificates(folder: Path) -> None:
    """A CA and a certificate for localhost, both of a day."""

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=Test CA",
            "-keyout", "ca.key", "-out", "ca.crt")  # fmt: skip
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-keyout", "key", "-out", "csr")
    (folder / "names").write_text("subjectAltName=DNS:localhost\n")
    openssl("x509", "-req", "-in", "csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "1",
            "-extfile", "names", "-out", "crt")  # fmt: skip
    folder.chmod(0o755)
    for name in ("ca.crt", "crt", "key"):
        (folder / name).chmod(0o644)


# paho leaves the socket of a handshake that failed to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_tls_is_verified_and_never_given_up(tmp_path: Path) -> None:
    certificates(tmp_path)
    port = free_port()
    tls = [f"listener {port} 127.0.0.1", f"certfile {tmp_path}/crt", f"keyfile {tmp_path}/key"]
    with Mosquitto(lines=tls):
        trusting = MqttOptions("localhost", port, tls=TlsOptions(ca_file=tmp_path / "ca.crt"))
        async with rig(tmp_path / "outbox", trusting) as r:
            r.record(200)
            await r.until_delivered()
        for distrusted in (
            MqttOptions("localhost", port, tls=TlsOptions()),
            MqttOptions("127.0.0.1", port, tls=TlsOptions(ca_file=tmp_path / "ca.crt")),
        ):
            async with rig(tmp_path / "outbox", distrusted) as r:
                await r.until(lambda: r.board.broker.error is not None)
                assert "certificate is not accepted" in str(r.board.broker.error)
                assert r.board.broker.connects == 0
        reckless = MqttOptions("127.0.0.1", port, tls=TlsOptions(insecure=True))
        async with rig(tmp_path / "outbox", reckless) as r:
            r.record(10)
            await r.until_delivered()
    assert TlsOptions().context().minimum_version == ssl.TLSVersion.TLSv1_2
    gc.collect()


async def test_a_burst_larger_than_the_window_asks_for_acknowledgements_at_once(
    broker: Mosquitto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With Nagle's algorithm at the broker a window may wait 40 ms for the kernel, which forgets that it was asked."""
    asked: list[tuple[int, int]] = []
    plain = socket.socket.setsockopt

    def spy(self: socket.socket, level: int, option: int, value: int) -> None:
        asked.append((option, value))
        plain(self, level, option, value)

    monkeypatch.setattr(socket.socket, "setsockopt", spy)
    async with rig(tmp_path / "outbox", options(broker), commit_ms=60_000) as r:
        await r.until(lambda: r.board.broker.connected)
        assert (socket.TCP_NODELAY, 1) in asked
        asked.clear()
        for _ in range(3):
            r.record(640)
            await r.until_delivered()
            assert (socket.TCP_QUICKACK, 1) in asked
            asked.clear()


async def test_a_healthy_link_costs_the_disk_nothing(broker: Mosquitto, tmp_path: Path) -> None:
    """As long as a PUBACK comes before half of the commit time, which here is ample for a busy machine."""
    log = tmp_path / "outbox" / "outbox.db-wal"
    async with rig(tmp_path / "outbox", options(broker), commit_ms=2_000) as r:
        await r.until(lambda: r.board.broker.connected)
        before = log.stat().st_mtime_ns, log.stat().st_size
        for _ in range(40):
            r.record(5)
            await r.until_delivered()
        await r.outbox.commit()
        assert (log.stat().st_mtime_ns, log.stat().st_size) == before
        assert r.board.buffer.acknowledged == 200


async def test_without_a_broker_the_group_commit_writes_by_itself(tmp_path: Path) -> None:
    async with rig(tmp_path / "outbox", MqttOptions("127.0.0.1", free_port()), commit_ms=20) as r:
        r.record(200)
        await r.until(lambda: r.outbox.rests_on_disk)
        assert "cannot reach mqtt://127.0.0.1" in str(r.board.broker.error)


def test_seq_of_reads_marked_payloads() -> None:
    assert seq_of(b'{"meta":{"epoch":"a","seq":7,"buffered":true}}') == 7
