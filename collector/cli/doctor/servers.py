"""Looks at what is in the office: names, the Fleet server and its clock, the broker."""

import asyncio
import ipaddress
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from collector.app import config_source, plan_options
from collector.cli.doctor.finding import Finding, bad, good, note
from collector.clock import Clock
from collector.config.plan import Plan
from collector.config.planner import plan_document
from collector.delivery.address import mqtt_options
from collector.delivery.mqtt.blocking import in_daemon_thread
from collector.delivery.mqtt.connection import MqttConnection
from collector.delivery.mqtt.errors import ConnectFailed, ConnectRefused
from collector.delivery.mqtt.opening import Identity, open_connection
from collector.delivery.mqtt.options import MqttVersion
from collector.settings import Settings
from fleet_client.copies import DocumentStore
from fleet_client.errors import FleetError
from fleet_client.fetched import Fetched
from fleet_client.reading import read_document
from fleet_client.topics import other_spelling

RESOLVE_S = 5.0
GOODBYE_S = 2.0
CLOCK_OFF_S = 60.0
LARGEST_MESSAGE = 128 << 10
WORTHWHILE_WINDOW = 20


@dataclass(slots=True)
class Answer:
    """What the Fleet server gave: `plan` None where it was no configuration; `ahead_s` is by how much our clock is."""

    findings: list[Finding] = field(default_factory=list)
    plan: Plan | None = None
    ahead_s: float | None = None


async def look_at_names(settings: Settings) -> AsyncIterator[Finding]:
    """Whether the servers' names are known. Addresses are none."""
    fleet = settings.edge_server_url if settings.edge_config_source == "api" else None
    hosts = {
        "EDGE_SERVER_URL": urlsplit(fleet.base).hostname if fleet else None,
        "MQTT_BROKER_URL": settings.mqtt_broker_url.host,
    }
    named = [*hosts.items(), *(("KAFKA_BROKERS", each.host) for each in settings.kafka_brokers)]
    if settings.uplink_url is not None:
        named.append(("UPLINK_URL", settings.uplink_url.host))
    for variable, host in named:
        if host and not _is_address(host):
            yield await _resolved(variable, host)


async def ask_fleet(settings: Settings, clock: Clock) -> Answer:
    """Ask for the configuration, or read its file, and see whether it can be used."""
    subject = "configuration file" if settings.edge_config_source == "file" else "Fleet server"
    try:
        async with config_source(settings) as source:
            fetched = await source.fetch(None)
    except FleetError as error:
        remedy = "see EDGE_CONFIG_FILE" if settings.edge_config_source == "file" else "see EDGE_SERVER_URL, the network"
        found = bad(subject, str(error), f"{remedy}; meanwhile the last good configuration is used")
        return Answer([found], await asyncio.to_thread(_kept_plan, settings))
    assert isinstance(fetched, Fetched)  # noqa: S101 - an unconditional request has no other answer
    answer = Answer()
    if fetched.server_date is not None:
        answer.ahead_s = clock.wall_ms() / 1000 - fetched.server_date.timestamp()
    expected = {settings.edge_id, fetched.edge_id, *filter(None, [other_spelling(settings.edge_id)])}
    try:
        read = await asyncio.to_thread(read_document, fetched.body, expected_edge_ids=expected)
        answer.plan = await asyncio.to_thread(plan_document, read, plan_options(settings))
    except FleetError as error:
        answer.findings.append(
            bad(subject, str(error), "correct it at the Fleet server: edge-collector check shows how")
        )
        return answer
    answer.findings += _about(answer.plan, subject, fetched.edge_id, settings)
    return answer


def look_at_clock(ahead_s: float | None) -> Finding:
    """Whether both clocks agree, within the second that the header has."""
    if ahead_s is None:
        return note("clock", "there is no server's time to compare it with")
    if abs(ahead_s) > CLOCK_OFF_S:
        way = "ahead of" if ahead_s > 0 else "behind"
        remedy = "set one of the two (timedatectl); until then messages are marked and commands are refused"
        return bad("clock", f"{abs(ahead_s):.0f} s {way} the Fleet server's", remedy)
    return good("clock", f"within {max(1.0, abs(ahead_s)):.0f} s of the Fleet server's")


async def look_at_broker(settings: Settings) -> AsyncIterator[Finding]:
    """Connect under a name of our own and say goodbye: no will, no message, no subscription."""
    options = mqtt_options(settings)
    identity = Identity(f"{settings.client_id()}-doctor")
    try:
        connection = await open_connection(options, identity, options.versions)
    except ConnectRefused as refused:
        remedy = "MQTT_USERNAME, MQTT_PASSWORD, and whether the broker lets this user in under the client id "
        yield bad("broker", str(refused), remedy + identity.client_id)
        return
    except (ConnectFailed, OSError) as error:
        yield bad("broker", str(error), "MQTT_BROKER_URL, the broker itself, a firewall; meanwhile all is kept on disk")
        return
    try:
        for finding in _limits(options.url, connection):
            yield finding
    finally:
        await connection.disconnect(GOODBYE_S)


def _limits(url: str, connection: MqttConnection) -> list[Finding]:
    if connection.version is MqttVersion.V311:
        return [note("broker", f"{url} speaks MQTT 3.1.1 and tells no limits", "MQTT 5 tells what it refuses and why")]
    size, window = connection.maximum_packet_size, connection.receive_maximum
    keep_alive = connection.server_keep_alive_s
    said = (
        f"{url} speaks MQTT 5: messages up to {f'{size:,} bytes' if size else 'any size'}, {window:,} in flight"
        f"{f', keep-alive {keep_alive} s' if keep_alive else ''}"
    )
    found = [good("broker", said)]
    if connection.maximum_qos < 1:
        found.append(
            bad("broker", "takes QoS 0 only, so that nothing is ever acknowledged", "allow QoS 1 at the broker")
        )
    if size is not None and size < LARGEST_MESSAGE:
        found.append(note("broker", f"messages over {size:,} bytes are split", "allow 256 KiB at the broker"))
    if window < WORTHWHILE_WINDOW:
        found.append(note("broker", f"a backlog drains slowly with {window} in flight", "allow 100 at the broker"))
    return found


def _kept_plan(settings: Settings) -> Plan | None:
    """What the collector itself would go on with."""
    kept = DocumentStore(settings.data_dir / "config").load()
    if kept is None:
        return None
    try:
        return plan_document(read_document(kept.body, expected_edge_ids=None), plan_options(settings))
    except FleetError:
        return None


def _about(plan: Plan, subject: str, edge_id: str, settings: Settings) -> list[Finding]:
    version = f"version {plan.version}, " if plan.version else ""
    found = [good(subject, f"{version}{len(plan.devices)} devices, {plan.tag_count} tags for {edge_id}")]
    if edge_id != settings.edge_id:
        said = f"knows this edge as {edge_id}, not as {settings.edge_id}; topics follow the server"
        found.append(note(subject, said, f"DEVICE_ID={edge_id} says the same at once"))
    if not plan.devices:
        found.append(note(subject, "there is nothing to poll", "enter devices for this edge at the Fleet server"))
    first = next(iter(plan.problems), None)
    if first is not None:
        said = f"{len(plan.problems)} parts are refused, the first at {first.path}: {first.message}"
        found.append(bad(subject, said, "correct them at the Fleet server; the others are polled"))
    return found


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


async def _resolved(variable: str, host: str) -> Finding:
    def resolve() -> list[str]:
        return [str(entry[4][0]) for entry in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)]

    try:
        addresses = await in_daemon_thread(resolve, RESOLVE_S, lambda _: None)
    except TimeoutError:
        reason = f"no name server answered within {RESOLVE_S:g} s"
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
    else:
        return good("name", f"{host} is {', '.join(dict.fromkeys(addresses))}")
    return bad("name", f"{host}: {reason}", f"{variable}, /etc/resolv.conf, or an address instead of the name")
