"""Roll-back, events and DEVICE_NETWORKS, as the real process has them wired."""

from pathlib import Path
from typing import Any, cast

from tests.doubles.hall import EDGE_ID, Hall, modbus_device


def states(hall: Hall, kind: str) -> list[object]:
    return [body["state"] for body in hall.messages("events") if body["type"] == kind]


async def test_a_push_that_silences_the_plant_goes_back_by_itself(tmp_path: Path) -> None:
    async with Hall(tmp_path, CONFIG_SYNC_INTERVAL_SEC=0.3, CONFIG_PROBATION_SEC=1) as hall:
        plc = await hall.plc()
        hall.configure(modbus_device(plc))
        hall.collector.start()
        await hall.until(lambda: len(hall.values("r0")) > 5, what="data")
        hall.configure(modbus_device(plc, connection={"host": "127.0.0.1", "port": 1}))
        await hall.until(lambda: "rolled_back" in states(hall, "config"), what="the roll-back")
        assert states(hall, "config") == ["applied", "applied", "rolled_back"]
        assert states(hall, "device") == ["offline"]
        conditions = cast(dict[str, Any], (await hall.fleet.command(EDGE_ID, "get_status"))["result"])["conditions"]
        assert "config_rolled_back" in [condition["code"] for condition in conditions]
        # The one that failed is not an earlier one to go back to.
        answer = await hall.fleet.command(EDGE_ID, "rollback_config")
        assert "no earlier configuration" in str(answer["error"])


async def test_a_document_goes_back_by_command(tmp_path: Path) -> None:
    async with Hall(tmp_path, CONFIG_SYNC_INTERVAL_SEC=0.3) as hall:
        plc = await hall.plc()
        hall.configure(modbus_device(plc), version="first")
        hall.collector.start()
        await hall.until(lambda: hall.values("r0"), what="data")
        hall.configure(modbus_device(plc, tags=[{"name": "neu", "address": 40002, "data_type": "UINT16"}]))
        await hall.until(lambda: hall.values("neu"), what="the second document")
        answer = await hall.fleet.command(EDGE_ID, "rollback_config")
        assert (answer["status"], cast(dict[str, Any], answer["result"])["applied"]) == ("success", True)
        await hall.until(lambda: states(hall, "config")[-1:] == ["rolled_back"], what="the event")


async def test_s12_a_name_that_leads_out_of_device_networks_is_never_connected_to(tmp_path: Path) -> None:
    async with Hall(tmp_path, DEVICE_NETWORKS="10.0.0.0/8", HEARTBEAT_INTERVAL_SEC=0.5) as hall:
        plc = await hall.plc()
        hall.configure(modbus_device(plc, connection={"host": "localhost", "port": plc.port}))
        hall.collector.start()
        await hall.until(lambda: states(hall, "device") == ["offline"], what="the device is offline")
        assert "outside DEVICE_NETWORKS (10.0.0.0/8)" in str(hall.messages("events")[-1]["error"])
        assert plc.record.connections == 0
