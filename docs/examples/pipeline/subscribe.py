"""A subscriber that loses nothing: the broker keeps messages while it is away, it acknowledges what it has stored."""

import sys
from urllib.parse import urlsplit

import paho.mqtt.client as mqtt
from store import open_tables, store

TOPICS = [(f"vexplor/devices/+/{kind}", 1) for kind in ("data", "status", "events", "responses")]


def main(broker_url: str, file: str) -> None:
    """Subscribe for ever."""
    database = open_tables(file)
    # A fixed client id and no clean session: the broker keeps for it what comes while it is away.
    client = mqtt.Client(
        mqtt.CallbackAPIVersion.VERSION2, client_id="pipeline-store", clean_session=False, manual_ack=True
    )

    def subscribe(client: mqtt.Client, *_: object) -> None:
        client.subscribe(TOPICS)

    def take(client: mqtt.Client, _: object, message: mqtt.MQTTMessage) -> None:
        try:
            live = store(database, message.topic, message.payload)
        except (
            ValueError,
            KeyError,
            AttributeError,
        ) as error:  # never to be understood: set aside, not asked for again
            sys.stdout.write(f"set aside: {message.topic}: {error!r}\n")
        else:
            if live:
                sys.stdout.write(f"live: {message.topic}: {live}\n")
        sys.stdout.flush()
        client.ack(message.mid, message.qos)

    client.on_connect, client.on_message = subscribe, take
    where = urlsplit(broker_url)
    client.connect(where.hostname or "127.0.0.1", where.port or 1883)
    client.loop_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
