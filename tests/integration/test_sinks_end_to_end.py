"""The real process with all three ways out: what each is promised, while another is down."""

import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from simulators.ledger import Account, Ledger
from tests.doubles.hall import EDGE_ID, Hall, modbus_device
from tests.doubles.kafka_cluster import KafkaCluster
from tests.doubles.uplink_server import UplinkServer

pytestmark = pytest.mark.timeout(240)
SLOWLY_S = 60.0
DATA, EVENTS = "vexplor.devices.data", "vexplor.devices.events"


@pytest.fixture
async def cluster() -> AsyncIterator[KafkaCluster]:
    async with KafkaCluster() as cluster:
        yield cluster


@pytest.fixture
async def server() -> AsyncIterator[UplinkServer]:
    async with UplinkServer() as server:
        yield server


def judged(data: Sequence[bytes], events: Sequence[bytes]) -> Ledger:
    """The books of one way out."""
    ledger = Ledger()
    for kind, bodies in (("data", data), ("events", events)):
        for body in bodies:
            ledger.feed(f"vexplor/devices/{EDGE_ID}/{kind}", body, 0)
    return ledger


async def kafka_books(cluster: KafkaCluster) -> Ledger:
    """Those of the cluster."""
    data, events = await cluster.stored(DATA), await cluster.stored(EVENTS)
    assert {each.key for each in (*data, *events)} == {EDGE_ID.encode()}
    return judged([each.value for each in data], [each.value for each in events])


def http_books(server: UplinkServer) -> Ledger:
    """Those of the server."""
    data, events = ([json.dumps(body).encode() for body in server.taken[kind]] for kind in ("data", "events"))
    return judged(data, events)


def as_made(body: Any) -> dict[str, Any]:
    """Without what a way out adds: who it is from, and that it was written to disk."""
    meta = {key: value for key, value in body["meta"].items() if key != "buffered"}
    return {key: value for key, value in body.items() if key != "edge_id"} | {"meta": meta}


def epochs(bodies: Sequence[Any]) -> set[str]:
    """Those of the messages."""
    return {body["meta"]["epoch"] for body in bodies}


def sequence(bodies: Sequence[Any]) -> list[tuple[str, int]]:
    """The identities, in the order of arrival."""
    return [(body["meta"]["epoch"], body["meta"]["seq"]) for body in bodies]


def conditions(hall: Hall) -> set[str]:
    """The codes in the newest status."""
    status: Any = hall.messages("status")[-1] if hall.messages("status") else {}
    return {each["code"] for each in status.get("conditions", ())}


def last_recorded(events: Sequence[Any]) -> tuple[str, int]:
    """Of the run that was killed, as the next one says."""
    event = next(each for each in events if each["type"] == "restart")
    return event["previous_epoch"], event["last_recorded_seq"]


async def test_what_is_polled_goes_out_three_ways(tmp_path: Path, cluster: KafkaCluster, server: UplinkServer) -> None:
    sinks = {"KAFKA_BROKERS": cluster.address, "UPLINK_URL": server.url, "HEARTBEAT_INTERVAL_SEC": 1}
    async with Hall(tmp_path, **sinks) as hall:
        hall.configure(modbus_device(await hall.plc()))
        hall.collector.start()
        await hall.until(lambda: len(hall.messages("data")) >= 20, SLOWLY_S, "data by MQTT")
        await hall.until(lambda: len(server.taken["data"]) >= 20, SLOWLY_S, "data over HTTP")
        await hall.until(lambda: server.taken["log"], SLOWLY_S, "host figures over HTTP")
        while len(await cluster.stored(DATA)) < 20:
            assert "Traceback" not in hall.collector.log
        status, _ = await hall.collector.stop()
        assert status == 0
        told = [as_made(body) for body in server.taken["data"]]
        stored = [as_made(json.loads(each.value)) for each in await cluster.stored(DATA)]
        assert told[:20] == stored[:20] == [as_made(body) for body in hall.messages("data")[:20]]
        figures = server.taken["log"][0]
        required = {"edge_cpu_usage", "edge_ram_usage", "edge_disk_usage", "edge_heartbeat_total"}
        assert required <= set(figures) - {"edge_id", "timestamp"} <= {*required, "edge_temperature"}
        assert figures["edge_id"] == EDGE_ID
        for way in (told, stored):
            assert sequence(way) == [(stored[0]["meta"]["epoch"], seq) for seq in range(1, len(way) + 1)]
        assert "config" in {json.loads(each.value)["type"] for each in await cluster.stored(EVENTS)}
        assert "config" in {body["type"] for body in server.taken["events"]}


async def test_k1_ways_out_that_are_down_delay_no_other_and_lose_nothing(
    tmp_path: Path, cluster: KafkaCluster, server: UplinkServer
) -> None:
    sinks = {
        "KAFKA_BROKERS": cluster.address,
        "UPLINK_URL": server.url,
        "MQTT_RECONNECT_MAX_SEC": 1,
        "HEARTBEAT_INTERVAL_SEC": 0.5,
    }
    async with Hall(tmp_path, **sinks) as hall:
        hall.configure(modbus_device(await hall.plc(), interval_ms=50))
        hall.collector.start()
        await hall.until(lambda: server.taken["data"], SLOWLY_S, "data over HTTP")
        cluster.pause()
        await server.stop()
        await hall.until(lambda: "http_down" in conditions(hall), SLOWLY_S, "the status says that HTTP is down")
        before = len(hall.messages("data"))
        await hall.until(lambda: len(hall.messages("data")) > before + 50, SLOWLY_S, "MQTT goes on")
        assert not {body["type"] for body in hall.messages("events")} & {"gap", "restart", "drained"}

        hall.collector.kill()
        hall.collector.start()
        before = len(hall.messages("data"))
        await hall.until(lambda: len(hall.messages("data")) > before + 20, SLOWLY_S, "MQTT goes on after the kill")

        cluster.resume()
        await server.start()
        live = hall.account().epoch
        await hall.until(lambda: live in epochs(server.taken["data"]), SLOWLY_S, "HTTP is back")
        while live not in {account.epoch for account in accounts(await kafka_books(cluster))}:
            assert "Traceback" not in hall.collector.log
        await hall.until(lambda: "http_down" not in conditions(hall), SLOWLY_S, "the status says that HTTP is back")
        assert (await hall.collector.stop())[0] == 0
        hall.collector.start()  # whatever the stop left goes out now
        newest = hall.account().epoch
        await hall.until(lambda: hall.account().epoch != newest, SLOWLY_S, "the third start")
        third = hall.account().epoch
        await hall.until(lambda: third in epochs(server.taken["data"]), SLOWLY_S, "HTTP")
        while third not in {account.epoch for account in accounts(await kafka_books(cluster))}:
            assert "Traceback" not in hall.collector.log
        kafka_events = [json.loads(each.value) for each in await cluster.stored(EVENTS)]
        for books, events in ((http_books(server), server.taken["events"]), (await kafka_books(cluster), kafka_events)):
            killed, last = last_recorded(events)
            assert last > 50
            assert books.account(EDGE_ID, killed).unexplained(1, last) == []
            assert books.account(EDGE_ID, live).unexplained(1) == []
            assert all(account.conflicts == 0 for account in accounts(books))


def accounts(ledger: Ledger) -> list[Account]:
    """Those of all starts."""
    return list(ledger.accounts.values())


async def test_k2_a_sink_whose_disk_refuses_hurts_no_other(tmp_path: Path, server: UplinkServer) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "outbox-http").write_text("not a folder", "utf-8")
    async with Hall(tmp_path, UPLINK_URL=server.url, HEARTBEAT_INTERVAL_SEC=0.5) as hall:
        hall.configure(modbus_device(await hall.plc()))
        hall.collector.start()
        await hall.until(lambda: len(hall.messages("data")) > 5, SLOWLY_S, "data by MQTT")
        await hall.until(lambda: len(server.taken["data"]) > 5, SLOWLY_S, "data over HTTP, from memory")
        await hall.until(lambda: "http_storage_degraded" in conditions(hall), SLOWLY_S, "the status says so")
        assert "storage_degraded" not in conditions(hall)
        assert (await hall.collector.stop())[0] == 0


async def test_clear_buffer_gives_up_what_waits_for_a_sink_too_and_the_sink_is_told(
    tmp_path: Path, server: UplinkServer
) -> None:
    await server.stop()
    async with Hall(tmp_path, UPLINK_URL=server.url, MQTT_RECONNECT_MAX_SEC=1, HEARTBEAT_INTERVAL_SEC=0.5) as hall:
        hall.configure(modbus_device(await hall.plc(), interval_ms=50))
        hall.collector.start()
        await hall.until(lambda: "http_down" in conditions(hall), SLOWLY_S, "the status says that HTTP is down")
        cleared = 0
        for number in range(20):  # what an attempt has in its hands just then is not cleared
            if cleared := await cleared_of_http(hall, f"c-{number}"):
                break
        assert cleared > 0
        await server.start()
        await hall.until(
            lambda: any(event.get("reason") == "cleared" for event in server.taken["events"]), SLOWLY_S, "the gap"
        )
        assert (await hall.collector.stop())[0] == 0


async def cleared_of_http(hall: Hall, command_id: str) -> int:
    """How many messages `clear_buffer` says it has given up there."""
    body = json.dumps({"command_id": command_id, "command": "clear_buffer"}).encode()
    assert hall.listener.publish(f"vexplor/devices/{EDGE_ID}/commands", body)

    def answers() -> list[Any]:
        return [answer for answer in hall.messages("responses") if answer["command_id"] == command_id]

    await hall.until(answers, SLOWLY_S, f"an answer to {command_id}")
    (answer,) = answers()
    assert answer["status"] == "success"
    return int(answer["result"]["sinks"]["http"]["messages"])
