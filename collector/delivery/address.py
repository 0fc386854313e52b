"""Who this edge is at the broker: topics, client id, last will, and the broker itself, from the settings."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial

from collector.delivery.mqtt.options import MqttOptions, MqttVersion, TlsOptions
from collector.settings import Settings
from collector.settings.environment import renewed_secret
from fleet_client.status import last_will
from fleet_client.topics import Topics

_VERSIONS = {"auto": (MqttVersion.V5, MqttVersion.V311), "5": (MqttVersion.V5,), "3.1.1": (MqttVersion.V311,)}


@dataclass(frozen=True, slots=True)
class Address:
    """Who we are at the broker. Asked for anew at each connect: the edge id may be corrected before the first.

    An empty `events_topic` is that of an edge that has none.
    """

    client_id: str
    status_topic: str
    will: bytes
    command_topics: tuple[str, ...] = ()
    events_topic: str = ""


_topics = lru_cache(maxsize=2)(Topics)


class EdgeAddress:
    """Follows the edge id, which the Fleet server may correct to its other spelling."""

    def __init__(self, settings: Settings, edge_id: Callable[[], str]) -> None:
        self._settings = settings
        self._edge_id = edge_id

    @property
    def edge_id(self) -> str:
        """The spelling of the edge id in use."""
        return self._edge_id()

    @property
    def topics(self) -> Topics:
        """The topics under the spelling of the edge id in use."""
        return _topics(self._edge_id())

    def __call__(self) -> Address:
        """For the next connection."""
        settings, edge_id = self._settings, self._edge_id()
        command_topic = settings.command_topic(edge_id)
        return Address(
            client_id=settings.client_id(edge_id),
            status_topic=self.topics.status,
            will=last_will(settings.company_code),
            command_topics=(command_topic,) if command_topic else (),
            events_topic=self.topics.events,
        )


def mqtt_options(settings: Settings, hide: Callable[[str], None] | None = None) -> MqttOptions:
    """The broker as the settings name it; `hide` is told each password that `MQTT_PASSWORD_FILE` comes to have."""
    url = settings.mqtt_broker_url
    password = settings.broker_password
    tls = TlsOptions(
        ca_file=settings.mqtt_ca_file,
        cert_file=settings.mqtt_cert_file,
        key_file=settings.mqtt_key_file,
        insecure=settings.mqtt_tls_insecure,
    )
    return MqttOptions(
        host=url.host,
        port=url.port,
        transport="websockets" if url.websocket else "tcp",
        path=url.path or "/",
        tls=tls if url.tls else None,
        username=settings.broker_username,
        password=password.get_secret_value() if password else None,
        renewed_password=partial(renewed_secret, settings.secret_files.get("MQTT_PASSWORD"), hide),
        versions=_VERSIONS[settings.mqtt_version],
        keepalive_s=settings.mqtt_keepalive_sec,
    )
