"""MQTT's reason codes: in words, and by what they ask of a publisher."""

UNSUPPORTED_VERSION = 0x84
NO_SUBSCRIBER = 0x10
NOT_AUTHORISED = 0x87
TAKEN_OVER = 0x8E
PACKET_TOO_LARGE = 0x95
ACCEPTED = frozenset({0x00, 0x10})
"""PUBACK: the broker has the message (0x10: though nobody subscribes to its topic)."""

ABOUT_THE_MESSAGE = frozenset({0x80, 0x83, 0x90, 0x95, 0x99})
"""PUBACK: this message will never be taken. All other refusals are about the account: keep the data, try later."""

BLAMES_A_PACKET = frozenset({0x81, 0x82, 0x90, 0x95, 0x99})
"""DISCONNECT: something that was sent is to blame."""

MAY_MEAN_A_TOPIC = frozenset({0x80, 0x82, 0x83, 0x87, 0x8F, 0x90})
"""DISCONNECT: a topic that is not allowed may be the reason; all others name another one."""

_WORDS = {
    0x80: "unspecified error",
    0x81: "malformed packet",
    0x82: "protocol error",
    0x83: "implementation specific error",
    0x84: "this MQTT version is not supported",
    0x85: "client id not accepted (MQTT_CLIENT_ID)",
    0x86: "bad user name or password (MQTT_USERNAME, MQTT_PASSWORD)",
    0x87: "not authorised",
    0x88: "server unavailable",
    0x89: "server busy",
    0x8A: "banned",
    0x8B: "server shutting down",
    0x8D: "keep-alive timeout",
    0x8E: "another client took over with the same client id",
    0x8F: "topic filter not accepted",
    0x90: "topic name not accepted",
    0x93: "more messages in flight than it allows",
    0x95: "packet too large",
    0x96: "message rate too high",
    0x97: "quota exceeded",
    0x98: "closed by an administrator",
    0x99: "payload format not accepted",
    0x9C: "use another server",
    0x9D: "server moved",
    0x9F: "connection rate exceeded",
}


def words(code: int) -> str:
    """A refusal as a person says it, with its number."""
    return f"{_WORDS.get(code, 'refused')} (0x{code:02X})"
