"""How other gateways are set up for a workload: as few requests as their Modbus parts can do, the rest as it comes."""

import json
from collections.abc import Sequence
from pathlib import Path

from paho.mqtt.client import Client

from tests.benchmarks.polling import Load

_MOST = 125
_NO_LIMIT = "0:0,"
_ASKED, _ANSWERED = "v1/devices/me/rpc/request/", "v1/devices/me/rpc/response/"


def answer_as_server(client: Client, topic: str) -> None:
    """What a ThingsBoard server says of its limits: none. Without it the gateway sends nothing."""
    if topic.startswith(_ASKED):
        limits = {"maxPayloadSize": 1 << 20, "maxInflightMessages": 0, "rateLimits": {"messages": _NO_LIMIT}}
        client.publish(_ANSWERED + topic.removeprefix(_ASKED), json.dumps(limits), qos=1)


def thingsboard(
    folder: Path, python: str, broker_port: int, load: Load, ports: Sequence[int]
) -> tuple[list[str], dict[str, str]]:
    """ThingsBoard IoT Gateway, which takes the broker for a ThingsBoard server. Returns command and environment."""
    config = folder / "thingsboard"
    (config / "logs").mkdir(parents=True)
    registers = {
        "tag": "temperature_${address}",
        "type": "16uint",
        "functionCode": 3,
        "objectsCount": 1,
        "address": f"0-{load.device.registers - 1}",
        "maxRegistersPerRequest": _MOST,
        "divider": 10,
    }
    slaves = [
        {
            "host": "127.0.0.1",
            "port": port,
            "type": "tcp",
            "method": "socket",
            "unitId": 1,
            "deviceName": f"PLC {number}",
            "timeout": 3,
            "byteOrder": "BIG",
            "wordOrder": "BIG",
            "pollPeriod": load.device.interval_ms,
            "attributes": [],
            "timeseries": [registers],
            "attributeUpdates": [],
            "rpc": [],
        }
        for number, port in enumerate(ports, 1)
    ]
    limits = ("rateLimits", "dpRateLimits", "messagesRateLimits", "deviceMessagesRateLimits", "deviceRateLimits")
    server = {
        "host": "127.0.0.1",
        "port": broker_port,
        "remoteShell": False,
        "remoteConfiguration": False,
        "security": {"type": "accessToken", "accessToken": "bench"},
        "qos": 1,
        **dict.fromkeys((*limits, "deviceDpRateLimits"), _NO_LIMIT),
    }
    connectors = [{"type": "modbus", "name": "Modbus", "configuration": "modbus.json"}]
    storage = {"type": "memory", "read_records_count": 100, "max_records_count": 100_000}
    main = {"thingsboard": server, "storage": storage, "grpc": {"enabled": False}, "connectors": connectors}
    _write(config / "tb_gateway.json", main)
    _write(config / "modbus.json", {"master": {"slaves": slaves}})
    quiet = {"level": "ERROR", "handlers": ["none"]}
    handlers = {"none": {"class": "logging.NullHandler"}}
    _write(config / "logs.json", {"version": 1, "handlers": handlers, "root": quiet, "loggers": {"pymodbus": quiet}})
    return [python, "-m", "thingsboard_gateway.tb_gateway"], {"TB_GW_CONFIG_DIR": str(config)}


def node_red(
    folder: Path, program: str, broker_port: int, load: Load, ports: Sequence[int]
) -> tuple[list[str], dict[str, str]]:
    """Node-RED with node-red-contrib-modbus: a read node a block, a function that names its values, one MQTT node."""
    home = folder / "node-red"
    home.mkdir()
    nodes: list[dict[str, object]] = [
        {"id": "tab", "type": "tab", "label": "bench"},
        {
            "id": "broker",
            "type": "mqtt-broker",
            "broker": "127.0.0.1",
            "port": str(broker_port),
            "clientid": "node-red",
        },
        {"id": "out", "type": "mqtt out", "z": "tab", "topic": "node-red/data", "qos": "1", "broker": "broker"},
    ]
    for number, port in enumerate(ports):
        nodes.append(_client(number, port))
        for first in range(0, load.device.registers, _MOST):
            count = min(_MOST, load.device.registers - first)
            nodes += _block(number, first, count, load.device.interval_ms)
    _write(home / "flows.json", nodes)
    packages = Path(program).resolve().parents[1].parent
    settings = {"uiPort": 0, "uiHost": "127.0.0.1", "flowFile": "flows.json", "nodesDir": str(packages)}
    (home / "settings.js").write_text(f"module.exports = {json.dumps(settings)};\n", encoding="utf-8")
    return [program, "--userDir", str(home), "--settings", str(home / "settings.js")], {}


def _client(number: int, port: int) -> dict[str, object]:
    return {
        "id": f"plc{number}",
        "type": "modbus-client",
        "clienttype": "tcp",
        "tcpHost": "127.0.0.1",
        "tcpPort": str(port),
        "tcpType": "DEFAULT",
        "unit_id": "1",
        "bufferCommands": True,
        "stateLogEnabled": False,
        "queueLogEnabled": False,
        "parallelUnitIdsAllowed": True,
        "commandDelay": "1",
        "clientTimeout": "1000",
        "reconnectOnTimeout": True,
        "reconnectTimeout": "2000",
    }


def _block(number: int, first: int, count: int, interval_ms: int) -> list[dict[str, object]]:
    read, name = f"read{number}-{first}", f"name{number}-{first}"
    code = f"const v = {{}}; msg.payload.forEach((r, i) => v['temperature_' + (i + {first})] = r / 10);"
    return [
        {
            "id": read,
            "type": "modbus-read",
            "z": "tab",
            "dataType": "HoldingRegister",
            "unitid": "1",
            "adr": str(first),
            "quantity": str(count),
            "rate": str(interval_ms),
            "rateUnit": "ms",
            "server": f"plc{number}",
            "wires": [[name], []],
        },
        {
            "id": name,
            "type": "function",
            "z": "tab",
            "func": f"{code} return {{payload: v}};",
            "outputs": 1,
            "wires": [["out"]],
        },
    ]


def _write(file: Path, content: object) -> None:
    file.write_text(json.dumps(content), encoding="utf-8")
