"""The process itself: told to end in any phase, cut off from names, connected anew again and again."""

import asyncio
import os
import random
from pathlib import Path

from tests.doubles.collector_process import CollectorProcess
from tests.doubles.hall import Hall, modbus_device
from tests.doubles.preloaded import compiled

SIGTERMS = int(os.environ.get("SIGTERMS", "8"))
WITHIN_S = 8.0


async def test_r5_sigterm_in_any_phase_is_a_clean_end(tmp_path: Path) -> None:
    rng = random.Random(5)
    async with Hall(tmp_path) as hall:
        hall.configure(modbus_device(await hall.plc(), interval_ms=20))
        for turn in range(SIGTERMS):
            hall.collector.start()
            await asyncio.sleep(rng.uniform(0.1, 1.5))
            status, seconds = await hall.collector.stop()
            assert (status, seconds < WITHIN_S) == (0, True), f"turn {turn}: status {status} after {seconds:.1f} s"
        hall.collector.start()
        await hall.until(lambda: len(hall.messages("data")) > 5, what="data")
        await hall.collector.stop()
        assert hall.ledger.missing == 0
        assert "restart" not in [event["type"] for event in hall.messages("events")]


async def test_r5_told_twice_it_ends_once_and_cleanly(tmp_path: Path) -> None:
    async with Hall(tmp_path) as hall:
        hall.configure(modbus_device(await hall.plc(), interval_ms=20))
        hall.collector.start()
        await hall.until(lambda: len(hall.messages("data")) > 5, what="data")
        hall.broker.pause()
        await asyncio.sleep(0.2)
        first = asyncio.create_task(hall.collector.stop())
        await asyncio.sleep(0.1)
        status, seconds = await hall.collector.stop()
        assert (status, seconds < WITHIN_S) == (0, True)
        await first
        hall.broker.resume()
        hall.collector.start()
        await hall.until(lambda: len(hall.ledger.accounts) == 2, what="a new epoch")
        await hall.until(lambda: hall.ledger.missing == 0, what="what was kept over the stop")


async def test_r5_no_name_server_that_hangs_holds_up_the_end(tmp_path: Path) -> None:
    variables = {
        "EDGE_SERVER_URL": "http://fleet.hangs:8080",
        "MQTT_BROKER_URL": "mqtt://broker.hangs:1883",
        "DEVICE_ID": "edge-test-001",
    }
    collector = CollectorProcess(tmp_path, variables)
    collector.environment = {"LD_PRELOAD": str(compiled("hanging_resolver.c", tmp_path))}
    with collector:
        async with asyncio.timeout(30):
            while "no new configuration" not in collector.log:
                await asyncio.sleep(0.05)
        status, seconds = await collector.stop()
        assert (status, seconds < WITHIN_S) == (0, True)


async def test_r1_reconnects_leave_no_descriptor_behind(tmp_path: Path) -> None:
    async with Hall(tmp_path, MQTT_RECONNECT_MAX_SEC=1) as hall:
        plc = await hall.plc()
        hall.configure(modbus_device(plc, interval_ms=20))
        hall.collector.start()
        await hall.until(lambda: len(hall.messages("data")) > 5, what="data")
        descriptors = Path(f"/proc/{hall.collector.pid}/fd")
        before = len(list(descriptors.iterdir()))
        for _ in range(5):
            seen = len(hall.messages("data"))
            await hall.proxy.cut()
            plc.drop_connections()
            await hall.proxy.open()
            await hall.until(lambda seen=seen: len(hall.messages("data")) > seen + 5, what="data after a cut")  # type: ignore[misc]
        await hall.until(lambda: abs(len(list(descriptors.iterdir())) - before) <= 2, what="as many descriptors")


async def test_r6_too_few_descriptors_cost_some_devices_and_never_the_process(tmp_path: Path) -> None:
    async with Hall(tmp_path, MQTT_RECONNECT_MAX_SEC=1, CONFIG_SYNC_INTERVAL_SEC=1) as hall:
        devices = [modbus_device(await hall.plc(), str(number)) for number in range(60)]
        hall.configure(devices[0])
        hall.collector.command = ("sh", "-c", 'ulimit -n 64; exec "$0" "$@"', *hall.collector.command)
        hall.collector.start()
        await hall.until(lambda: hall.messages("data"), what="data, before there is no descriptor left for the broker")
        hall.configure(*devices)
        await hall.until(lambda: "Too many open files" in hall.collector.log, what="descriptors run out")
        seen = len(hall.messages("data"))
        await hall.until(lambda: len(hall.messages("data")) > seen + 50, what="data of those that are connected")
        status, seconds = await hall.collector.stop()
        assert (status, seconds < WITHIN_S) == (0, True)
        assert hall.ledger.missing == 0
