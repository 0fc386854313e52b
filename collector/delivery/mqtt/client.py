"""paho's client, with a short way for what most answers of a broker are: PUBACKs that say success and nothing else."""

from collections.abc import Callable
from typing import Literal

from paho.mqtt.client import Client
from paho.mqtt.enums import MQTTErrorCode

_PACKET_ID_BYTES = 2
"""Of a PUBACK that has no reason code, which means success: MQTT 5, 3.4.2.1. In MQTT 3.1.1 it has no more."""


class BrokerClient(Client):
    """`on_taken` is told the packet id of such a PUBACK, in place of `on_publish`, which hears of all others.

    paho makes a reason code and properties for each PUBACK: a tenth of the processor time of a collector with one
    device.
    """

    on_taken: Callable[[int], None] | None = None

    @property
    def unanswered(self) -> int:
        """How many messages have no PUBACK yet."""
        return len(self._out_messages)

    def _handle_pubackcomp(self, cmd: Literal["PUBACK", "PUBCOMP"]) -> MQTTErrorCode:
        packet = self._in_packet["packet"]
        if self.on_taken is None or cmd != "PUBACK" or len(packet) != _PACKET_ID_BYTES:
            return super()._handle_pubackcomp(cmd)
        packet_id = int.from_bytes(packet, "big")
        if self._out_messages.pop(packet_id, None) is not None:
            self._inflight_messages -= 1
            self.on_taken(packet_id)
        return MQTTErrorCode.MQTT_ERR_SUCCESS
