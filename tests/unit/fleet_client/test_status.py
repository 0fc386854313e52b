import json

from fleet_client.status import (
    BufferFigures,
    ConditionFigures,
    ConfigErrorFigures,
    ConfigErrorsFigures,
    DeviceFigures,
    DevicesFigures,
    StatusFields,
    heartbeat,
    last_will,
    shutdown_status,
)

STAMP = "2026-04-17T08:00:00.123Z"
LEAN = StatusFields(
    cpu_percent=1.5,
    memory_percent=40,
    disk_percent=70.25,
    ip_address="192.168.1.5",
    timestamp=STAMP,
    version="0.1.0",
    uptime_sec=3,
)


def test_a_lean_heartbeat_leaves_out_what_it_does_not_know() -> None:
    assert json.loads(heartbeat(LEAN)) == {
        "cpu_percent": 1.5,
        "memory_percent": 40,
        "disk_percent": 70.25,
        "ip_address": "192.168.1.5",
        "status": "online",
        "timestamp": STAMP,
        "version": "0.1.0",
        "uptime_sec": 3,
        "conditions": [],
    }


def test_a_full_heartbeat() -> None:
    device = DeviceFigures("1", "CASE프레스", "offline", STAMP, error="no route")
    sent = json.loads(
        heartbeat(
            StatusFields(
                cpu_percent=1,
                memory_percent=2,
                disk_percent=3,
                ip_address="::1",
                timestamp=STAMP,
                version="0.1.0",
                uptime_sec=3,
                edge_name="스피폭스",
                company_code="SPFX",
                config_version="v1",
                temperature_c=51.5,
                buffer=BufferFigures(3, 900, STAMP, 1, 2**40),
                devices=DevicesFigures(2, 1, (device,), (device,)),
                config_errors=ConfigErrorsFigures(1, (ConfigErrorFigures("devices[0]", "missing", "…"),)),
                conditions=(ConditionFigures("insecure", STAMP, "mqtt"),),
            )
        )
    )
    shown = {"id": "1", "name": "CASE프레스", "state": "offline", "since": STAMP, "error": "no route"}
    assert sent["devices"] == {"total": 2, "online": 1, "trouble": [shown], "all": [shown]}
    assert sent["buffer"] == {"messages": 3, "bytes": 900, "oldest": STAMP, "dropped": 1, "acknowledged": 2**40}
    assert sent["config_errors"] == {"count": 1, "first": [{"path": "devices[0]", "code": "missing", "message": "…"}]}
    assert sent["conditions"] == [{"code": "insecure", "since": STAMP, "detail": "mqtt"}]
    assert (sent["edge_name"], sent["company_code"], sent["temperature_c"]) == ("스피폭스", "SPFX", 51.5)


def test_the_last_will_and_the_farewell() -> None:
    will = {"status": "offline", "company_code": "", "reason": "connection_lost"}
    assert json.loads(last_will("")) == will
    assert json.loads(shutdown_status("", STAMP)) == will | {"reason": "shutdown", "timestamp": STAMP}
