"""Settings of what the collector speaks to in the plant's office: Fleet server, broker, further sinks."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, SecretStr

from collector.settings import values as v
from collector.settings.reader import Variable
from collector.settings.urls import BROKER_URL, SERVER_URL, BrokerUrl, ServerUrl


class FleetSettings(BaseModel):
    """Fleet server and configuration."""

    edge_server_url: Annotated[
        ServerUrl | None,
        Variable(
            SERVER_URL,
            "Base URL of the Fleet server",
            secret=True,
        ),
    ] = None
    device_id: Annotated[
        str | None,
        Variable(
            v.EDGE_ID,
            "The edge id of this machine, e.g. edge-spifox-001; never the same on two machines",
        ),
    ] = None
    company_code: Annotated[
        str,
        Variable(
            v.text_up_to(64),
            "Company code, sent in the heartbeat; may stay empty",
        ),
    ] = ""
    edge_id: Annotated[
        str,
        Variable(
            v.EDGE_ID,
            "The edge id, fixed exactly as written; DEVICE_ID may gain or lose an `edge-`",
            otherwise="`DEVICE_ID`",
        ),
    ]
    edge_config_source: Annotated[
        Literal["api", "file"],
        Variable(
            v.choice("api", "file"),
            "Where the list of devices and tags comes from",
        ),
    ] = "api"
    edge_config_file: Annotated[Path | None, Variable(v.PATH, "The JSON or YAML document, for `file`")] = None
    edge_api_token: Annotated[
        SecretStr | None,
        Variable(
            v.HEADER_TOKEN,
            "Bearer token for the Fleet server",
            secret=True,
        ),
    ] = None
    edge_api_ca_file: Annotated[
        Path | None,
        Variable(
            v.READABLE_FILE,
            "CA certificates (PEM) to trust for the Fleet server",
        ),
    ] = None
    trust_env: Annotated[
        bool,
        Variable(
            v.SWITCH,
            "Use the proxy variables (HTTP_PROXY, …) for the Fleet server",
        ),
    ] = False
    config_sync_interval_sec: Annotated[
        float,
        Variable(
            v.seconds(0.1, 86400),
            "How often the Fleet server is asked for a new configuration",
        ),
    ] = 30
    config_probation_sec: Annotated[
        float,
        Variable(
            v.seconds(0.1, 3600),
            "A new configuration under which no device is good after this long is rolled back",
        ),
    ] = 60


class BrokerSettings(BaseModel):
    """MQTT broker."""

    mqtt_broker_url: Annotated[
        BrokerUrl,
        Variable(
            BROKER_URL,
            "The MQTT broker; user:password@ may stand before the host",
            secret=True,
        ),
    ]
    mqtt_username: Annotated[
        str | None,
        Variable(
            v.text_up_to(256),
            "User name; wins over the one in MQTT_BROKER_URL",
        ),
    ] = None
    mqtt_password: Annotated[
        SecretStr | None,
        Variable(
            v.SECRET,
            "Password; wins over the one in MQTT_BROKER_URL",
            secret=True,
        ),
    ] = None
    mqtt_client_id: Annotated[str, Variable(v.CLIENT_ID, "Client id")] = "edge-collector-{edgeId}"
    mqtt_ca_file: Annotated[
        Path | None, Variable(v.READABLE_FILE, "CA certificates (PEM) to trust, for mqtts and wss")
    ] = None
    mqtt_cert_file: Annotated[Path | None, Variable(v.READABLE_FILE, "Our own certificate (PEM), for mutual TLS")] = (
        None
    )
    mqtt_key_file: Annotated[Path | None, Variable(v.READABLE_FILE, "The key (PEM) of MQTT_CERT_FILE")] = None
    mqtt_tls_insecure: Annotated[
        bool,
        Variable(
            v.SWITCH,
            "Do not verify the broker's certificate; logged at every start",
        ),
    ] = False
    mqtt_version: Annotated[
        Literal["auto", "5", "3.1.1"],
        Variable(
            v.MQTT_VERSION,
            "auto tries 5, then 3.1.1",
        ),
    ] = "auto"
    mqtt_reconnect_max_sec: Annotated[
        float,
        Variable(
            v.seconds(1, 3600),
            "Longest wait between two attempts to connect",
        ),
    ] = 30
    mqtt_keepalive_sec: Annotated[int, Variable(v.whole_number(1, 65535), "MQTT keep-alive, in seconds")] = 15
    mqtt_command_topic: Annotated[
        str | None,
        Variable(
            v.TOPIC,
            "Where commands come in; off for no commands",
        ),
    ] = "vexplor/devices/{edgeId}/commands"
    mqtt_events: Annotated[bool, Variable(v.SWITCH, "Publish gaps, alarms, device and configuration events")] = True
    start_jitter_sec: Annotated[
        float,
        Variable(
            v.seconds(0, 3600),
            "Longest random wait before the first broker connect, after the machine has booted",
        ),
    ] = 0


class PayloadSettings(BaseModel):
    """Heartbeat and payload."""

    heartbeat_interval_sec: Annotated[float, Variable(v.seconds(0.1, 3600), "How often the status is sent")] = 30
    heartbeat_detail: Annotated[
        Literal["summary", "full"],
        Variable(
            v.choice("summary", "full"),
            "full: all devices in every heartbeat",
        ),
    ] = "summary"
    payload_meta: Annotated[
        Literal["body", "off"],
        Variable(
            v.choice("body", "off"),
            "Whether data messages carry `meta` (sequence number, quality)",
        ),
    ] = "body"
    data_on_error: Annotated[
        Literal["skip", "empty"],
        Variable(
            v.choice("skip", "empty"),
            "A poll cycle that gave nothing: no message, or one with empty `tags`",
        ),
    ] = "skip"


class SinkSettings(BaseModel):
    """Further sinks."""

    kafka_brokers: Annotated[
        tuple[v.HostPort, ...], Variable(v.KAFKA_SERVERS, "Data and events also go to these Kafka servers", secret=True)
    ] = ()
    uplink_url: Annotated[
        ServerUrl | None,
        Variable(
            SERVER_URL,
            "Data, events and host figures also go there, as JSON by POST; user:password@ may stand before the host",
            secret=True,
        ),
    ] = None
