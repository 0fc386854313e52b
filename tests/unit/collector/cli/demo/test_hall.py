"""The demo's machines."""

from collector.cli.demo.hall import EDGE_ID, Hall, units
from collector.config.planner import PlanOptions, plan_document
from fleet_client.encoding import encoded
from fleet_client.reading import read_document


async def test_the_collector_refuses_nothing_of_the_hall() -> None:
    async with Hall() as hall:
        plan = plan_document(
            read_document(encoded(hall.document()), expected_edge_ids=[EDGE_ID]), PlanOptions(edge_id=EDGE_ID)
        )
    assert plan.problems == ()
    assert [device.name for device in plan.devices] == [
        "CASE프레스_PLC_01",
        "CASE프레스_PLC_02",
        "냉각수_칠러",
        "공기압축기",
    ]
    assert len({device.connection.link for device in plan.devices}) == 3
    assert {(device.id, name) for device in plan.devices for name in device.names} == set(units())
