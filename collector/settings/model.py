"""All settings in one frozen model, and the table of their variables that the reference is made from."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, SecretStr

from collector.settings.onsite import CommandSettings, MachineSettings, PlcSettings, StorageSettings
from collector.settings.outward import BrokerSettings, FleetSettings, PayloadSettings, SinkSettings
from collector.settings.problems import Problem
from collector.settings.reader import Variable

SECTIONS: tuple[type[BaseModel], ...] = (
    FleetSettings,
    BrokerSettings,
    PayloadSettings,
    StorageSettings,
    PlcSettings,
    CommandSettings,
    MachineSettings,
    SinkSettings,
)


class Settings(
    FleetSettings,
    BrokerSettings,
    PayloadSettings,
    StorageSettings,
    PlcSettings,
    CommandSettings,
    MachineSettings,
    SinkSettings,
):
    """What the environment said, checked and ready to use. A field has its variable's name in lower case.

    `edge_id` is `EDGE_ID`, else `DEVICE_ID`; `edge_id_fixed` says that it was `EDGE_ID`. `env_file` is the
    file that was named, None the default one. Durations are in the
    unit of their name. `warnings` are for the log at start. `repr` shows no secret.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    edge_id_fixed: bool = False
    env_file: Path | None = None
    warnings: tuple[Problem, ...] = ()

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every secret there is, to be masked wherever something is written."""
        found = (getattr(self, name) for name in type(self).model_fields)
        uplink = self.uplink_url.password if self.uplink_url else None
        passwords = (self.broker_password, uplink, *(value for value in found if isinstance(value, SecretStr)))
        return tuple(password.get_secret_value() for password in passwords if password is not None)

    @property
    def broker_username(self) -> str | None:
        """`MQTT_USERNAME`, else the user of `MQTT_BROKER_URL`."""
        return self.mqtt_username or self.mqtt_broker_url.username

    @property
    def broker_password(self) -> SecretStr | None:
        """`MQTT_PASSWORD`, else the password of `MQTT_BROKER_URL`."""
        return self.mqtt_password or self.mqtt_broker_url.password

    def client_id(self, edge_id: str | None = None) -> str:
        """The MQTT client id of this edge, or of the spelling of its id that is in use."""
        return self.mqtt_client_id.replace("{edgeId}", edge_id or self.edge_id)

    def command_topic(self, edge_id: str | None = None) -> str | None:
        """Where commands come in, for this edge or the spelling of its id in use; None when off."""
        topic = self.mqtt_command_topic
        return topic and topic.replace("{edgeId}", edge_id or self.edge_id)


def variables_of(section: type[BaseModel]) -> Mapping[str, Variable]:
    """The variables of one section (or of all `Settings`), by name."""
    return {
        name.upper(): mark
        for name, field in section.model_fields.items()
        for mark in field.metadata
        if isinstance(mark, Variable)
    }


VARIABLES: Mapping[str, Variable] = {
    name: variable for section in SECTIONS for name, variable in variables_of(section).items()
}
"""Every variable there is, in the order of the reference."""
