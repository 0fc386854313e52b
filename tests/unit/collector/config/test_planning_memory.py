"""What a plan takes, counted by the interpreter: of the document nothing stays, and never is all of it there."""

import gc
import json
import tracemalloc

from collector.config.planner import PlanOptions
from collector.config.replanning import Replanner
from protocols.modbus.points import ModbusPoint

DEVICES, TAGS = 20, 100
HELD_BYTES_A_TAG = 700
"""Of which a plan has half; the pydantic model of one tag alone would be twice as much."""
PEAK_BYTES_A_TAG = 1_200
"""The body parsed, and the plan; the models of all devices would be as much again."""


def body() -> bytes:
    """Names differ from device to device, as they do in real documents at worst."""
    devices = [
        {
            "id": str(device),
            "protocol": "modbus_tcp",
            "connection": {"host": f"10.0.0.{device}"},
            "tags": [
                {"name": f"line{device}_tag{tag}", "address": str(40001 + tag), "data_type": "UINT16", "scale": "0.1"}
                for tag in range(TAGS)
            ],
        }
        for device in range(DEVICES)
    ]
    return json.dumps({"version": "v", "edge_id": "edge-1", "devices": devices}).encode()


def test_a_plan_keeps_no_models_and_reads_one_device_at_a_time() -> None:
    replanner, sent = Replanner(PlanOptions("edge-1")), body()
    replanner.plan_body(sent, expected_edge_ids=None)  # what is made once for all documents is made now
    replanner = Replanner(PlanOptions("edge-1"))
    gc.collect()
    tracemalloc.start()
    try:
        plan = replanner.plan_body(sent, expected_edge_ids=None)
        peak = tracemalloc.get_traced_memory()[1]
        gc.collect()
        held = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()

    assert plan.tag_count == DEVICES * TAGS
    held_a_tag, peak_a_tag = held / plan.tag_count, peak / plan.tag_count
    assert held_a_tag < HELD_BYTES_A_TAG
    assert peak_a_tag < PEAK_BYTES_A_TAG


def test_equal_texts_and_readings_are_one_object() -> None:
    plan = Replanner(PlanOptions("edge-1")).plan_body(body(), expected_edge_ids=None)

    specs = [spec for device in plan.devices for spec in device.specs if spec is not None]
    assert len({id(spec.address) for spec in specs}) == TAGS
    assert len({id(spec.scale) for spec in specs}) == 1
    points = [point for device in plan.devices for group in device.groups for point in group.points]
    assert len({id(point.reading) for point in points if isinstance(point, ModbusPoint)}) == 1
