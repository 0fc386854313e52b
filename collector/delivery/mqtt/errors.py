"""What can go wrong with the broker connection before it is up.

DeliveryError
└── ConnectFailed       nobody there, no answer, or no trust; back off, try again
    ├── NotUnderstood   silence, or a close, instead of an answer to CONNECT: an older protocol version may do
    └── ConnectRefused  the broker answered, and the answer was no
"""

from collector.delivery.mqtt.reasons import UNSUPPORTED_VERSION, words


class DeliveryError(Exception):
    """Root of everything the delivery raises on purpose."""


class ConnectFailed(DeliveryError):
    """No connection came about. The message is for the person who must act."""

    try_older = False


class NotUnderstood(ConnectFailed):
    """The broker accepted the connection and did not answer CONNECT."""

    try_older = True


class ConnectRefused(ConnectFailed):
    """The broker refused CONNECT with a reason `code`, in MQTT 5's numbering."""

    def __init__(self, where: str, code: int) -> None:
        super().__init__(f"{where} refused the connection: {words(code)}")
        self.code = code
        self.try_older = code == UNSUPPORTED_VERSION
