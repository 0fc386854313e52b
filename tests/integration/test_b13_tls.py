"""Row B13: a broker that can not be trusted is never spoken to, and never without TLS instead."""

import asyncio
import gc
import ssl
import warnings
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from collector.delivery.mqtt.options import MqttOptions, TlsOptions
from tests.doubles.certificates import DAY, Authority
from tests.doubles.mosquitto import Mosquitto, free_port
from tests.integration.delivery_rig import DATA, rig
from tests.integration.mqtt_ear import Ear

pytestmark = [
    # paho leaves the socket of a handshake that failed to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

Files = tuple[Path, Path]
Case = Callable[[Path, Authority], Files]


class Listener:
    """What came to a TLS server that nobody should trust."""

    def __init__(self) -> None:
        self.tried = 0
        self.got = b""


@asynccontextmanager
async def listening(context: ssl.SSLContext | None, seen: Listener) -> AsyncIterator[int]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            seen.got += await reader.read(1000)
        except OSError:
            pass
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1]


def server_context(files: Files) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("DEFAULT@SECLEVEL=0")
    context.load_cert_chain(*files)
    return context


def other(folder: Path, ca: Authority) -> Authority:
    return Authority(folder, "another authority")


WRONG: dict[str, Case] = {
    "expired": lambda folder, ca: ca.issue("c", start=-9 * DAY, end=-DAY),
    "expired an hour ago": lambda folder, ca: ca.issue("c", end=-timedelta(hours=1)),
    "not valid yet": lambda folder, ca: ca.issue("c", start=DAY, end=2 * DAY),
    "another host": lambda folder, ca: ca.issue("c", hosts=("broker.example",)),
    "a host below": lambda folder, ca: ca.issue("c", hosts=("x.localhost",)),
    "a wildcard for all": lambda folder, ca: ca.issue("c", hosts=("*",)),
    "meant for clients": lambda folder, ca: ca.issue("c", for_clients=True),
    "another authority": lambda folder, ca: other(folder, ca).issue("c"),
    "an authority of the same name": lambda folder, ca: Authority(folder / "x", "Test CA").issue("c"),
    "an intermediate that was not sent": lambda folder, ca: Authority(folder, "middle", above=ca).issue("c"),
    "an expired intermediate": lambda folder, ca: Authority(folder, "middle", above=ca, ended=True).issue("c"),
    "a weak key": lambda folder, ca: ca.issue("c", weak=True),
}


async def never_connects(folder: Path, options: MqttOptions, seen: Listener) -> str:
    """Over several tries; returns the one line of the log about it."""
    with capture_logs() as logs:
        async with rig(folder / "outbox", options, reconnect_max_s=0.02) as r:
            r.record(2)
            for _ in range(3):
                r.board.broker.error = None
                await r.until(lambda: r.board.broker.error is not None)
            assert (r.board.broker.connects, r.board.buffer.messages) == (0, 2)
    assert b"MQTT" not in seen.got
    (line,) = [entry for entry in logs if entry["event"] == "no connection to the broker"]
    gc.collect()
    return str(line["reason"])


@pytest.mark.parametrize("wrong", WRONG)
async def test_b13_s1_a_certificate_that_proves_nothing(tmp_path: Path, wrong: str) -> None:
    (tmp_path / "x").mkdir()
    ca, seen = Authority(tmp_path, "Test CA"), Listener()
    files = WRONG[wrong](tmp_path, ca)
    async with listening(server_context(files), seen) as port:
        options = MqttOptions("localhost", port, tls=TlsOptions(ca_file=ca.file))
        reason = await never_connects(tmp_path, options, seen)
    assert "the broker's certificate is not accepted" in reason


async def test_b13_s1_tls_1_1_is_not_spoken(tmp_path: Path) -> None:
    ca, seen = Authority(tmp_path, "Test CA"), Listener()
    context = server_context(ca.issue("c"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    async with listening(context, seen) as port:
        options = MqttOptions("localhost", port, tls=TlsOptions(ca_file=ca.file))
        assert "TLS failed" in await never_connects(tmp_path, options, seen)


async def test_b13_s1_a_broker_without_tls_gets_no_plain_connect(tmp_path: Path) -> None:
    ca, seen = Authority(tmp_path, "Test CA"), Listener()
    async with listening(None, seen) as port:
        options = MqttOptions("localhost", port, tls=TlsOptions(ca_file=ca.file))
        await never_connects(tmp_path, options, seen)


@pytest.mark.parametrize("transport", ["tcp", "websockets"])
async def test_s2_mutual_tls_also_over_websockets(tmp_path: Path, transport: str) -> None:
    ca = Authority(tmp_path, "Test CA")
    (server, server_key), (client, client_key) = ca.issue("server"), ca.issue("client")
    for file in (*tmp_path.iterdir(), tmp_path):
        file.chmod(0o755)
    port = free_port()
    lines = [
        f"listener {port} 127.0.0.1",
        *(["protocol websockets"] if transport == "websockets" else []),
        f"cafile {ca.file}", f"certfile {server}", f"keyfile {server_key}", "require_certificate true",
    ]  # fmt: skip
    with Mosquitto(lines=lines) as broker, Ear(broker.port) as ear:
        with_it = TlsOptions(ca_file=ca.file, cert_file=client, key_file=client_key)
        options = MqttOptions("localhost", port, transport=transport, path="/mqtt", tls=with_it)  # type: ignore[arg-type]
        async with rig(tmp_path / "outbox", options) as r:
            r.record(200)
            await r.until_delivered()
            await ear.until(lambda: ear.seqs(DATA) == list(range(1, 201)))
        without = MqttOptions("localhost", port, transport=transport, path="/mqtt", tls=TlsOptions(ca_file=ca.file))  # type: ignore[arg-type]
        async with rig(tmp_path / "other", without) as r:
            await r.until(lambda: r.board.broker.error is not None)
            assert r.board.broker.connects == 0
    gc.collect()
