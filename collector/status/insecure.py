"""Which of the connections in use anybody on the way could read or forge: they work, and are named."""

from collections.abc import Iterable, Iterator

from collector.settings import Settings
from collector.status.board import Board
from protocols.base import Connection

CODE = "insecure"
_HERE = ("localhost", "127.", "::1")


def show_insecure(board: Board, settings: Settings, connections: Iterable[Connection]) -> None:
    """Raise or clear the condition `insecure`. Connections to this machine itself do not count."""
    parts = [*_uplinks(settings), *(connection.where for connection in connections if _is_plain(connection))]
    if parts:
        board.raise_condition(CODE, f"not encrypted: {', '.join(parts)}")
    else:
        board.clear_condition(CODE)


def _uplinks(settings: Settings) -> Iterator[str]:
    broker, fleet = settings.mqtt_broker_url, settings.edge_server_url
    if not broker.tls and not broker.host.startswith(_HERE):
        yield f"the broker {broker}"
    if settings.mqtt_tls_insecure:
        yield f"the broker {broker}, whose certificate is not verified"
    if fleet is not None and fleet.scheme != "https" and not fleet.host.startswith(_HERE):
        yield f"the Fleet server {fleet}"
    if away := [str(each) for each in settings.kafka_brokers if not each.host.startswith(_HERE)]:
        yield f"Kafka {', '.join(away)}"
    uplink = settings.uplink_url
    if uplink is not None and uplink.scheme != "https" and not uplink.host.startswith(_HERE):
        yield f"the HTTP sink {uplink}"


def _is_plain(connection: Connection) -> bool:
    """Whether a protocol that could be secure is not; those that never are say nothing."""
    here = connection.host is None or connection.host.startswith(_HERE)
    return bool(getattr(connection, "insecure", False)) and not here
