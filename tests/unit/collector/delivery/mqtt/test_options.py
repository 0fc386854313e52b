from collector.delivery.mqtt.options import MqttOptions, TlsOptions
from collector.delivery.mqtt.reasons import words


def test_the_url_names_the_broker_without_credentials() -> None:
    secret = MqttOptions("pipeline", 8883, tls=TlsOptions(), username="edge", password="canary")
    assert secret.url == "mqtts://pipeline:8883"
    assert "canary" not in f"{secret!r} {secret.url}"
    assert MqttOptions("::1", 80, transport="websockets", path="/mqtt").url == "ws://[::1]:80/mqtt"


def test_refusals_are_said_in_words() -> None:
    assert words(0x87) == "not authorised (0x87)"
    assert words(0xEE) == "refused (0xEE)"
