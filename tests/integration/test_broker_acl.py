"""Row S17: under the broker files that are shipped, one edge can not speak for another, nor listen to it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.doubles.certificates import Authority
from tests.doubles.mosquitto import Mosquitto
from tests.doubles.shipped_broker import SHIPPED, Somebody, password_file, shipped_broker

A, B, SERVER = "edge-a", "edge-b", "server"
PASSWORDS = {A: "pass-a", B: "pass-b", SERVER: "pass-server"}
OUTWARD = ("data", "status", "responses", "events")

MAY_SAY = [(A, f"{A}/{kind}") for kind in OUTWARD] + [(SERVER, f"{A}/commands"), (SERVER, f"{B}/commands")]
MAY_NOT_SAY = [
    *((A, f"{B}/{kind}") for kind in OUTWARD),
    *((SERVER, f"{A}/{kind}") for kind in OUTWARD),
    (A, f"{A}/commands"),
    (A, f"{B}/commands"),
    (A, f"{A}/anything"),
    (A, f"{A}/data/deeper"),
    (A, f"{A[:-1]}/data"),
]
READS = [
    (A, f"{A}/commands", SERVER, f"{A}/commands", True),
    (A, f"{B}/commands", SERVER, f"{B}/commands", False),
    (A, "+/commands", SERVER, f"{B}/commands", False),
    (A, "#", SERVER, f"{B}/commands", False),
    (A, f"{B}/data", B, f"{B}/data", False),
    (A, "+/responses", B, f"{B}/responses", False),
    (A, f"{A}/data", A, f"{A}/data", False),
    *((SERVER, f"+/{kind}", A, f"{A}/{kind}", True) for kind in OUTWARD),
    (SERVER, "+/commands", SERVER, f"{A}/commands", False),
]


def topic(rest: str) -> str:
    """Below the devices."""
    return f"vexplor/devices/{rest}"


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    folder = tmp_path_factory.mktemp("broker")
    with shipped_broker(folder, password_file(folder, PASSWORDS)) as running:
        yield running


def entering(broker: Mosquitto, user: str, **options: str) -> Somebody:
    return Somebody(broker.port, user, PASSWORDS[user], will=options.get("will"))


@pytest.mark.parametrize(("user", "where"), MAY_SAY)
def test_s17_what_one_may_say_is_taken(broker: Mosquitto, user: str, where: str) -> None:
    with entering(broker, user) as speaker:
        assert speaker.publish(topic(where)) < 128


@pytest.mark.parametrize(("user", "where"), MAY_NOT_SAY)
def test_s17_what_one_may_not_say_is_refused_and_reaches_nobody(broker: Mosquitto, user: str, where: str) -> None:
    with entering(broker, SERVER) as server, entering(broker, B) as other, entering(broker, user) as speaker:
        server.subscribe("#")
        other.subscribe("#")
        assert speaker.publish(topic(where)) == 0x87  # not authorised
        with entering(broker, B) as marker, entering(broker, SERVER) as commander:
            marker.publish(topic(f"{B}/status"))
            commander.publish(topic(f"{B}/commands"))
        server.hears(topic(f"{B}/status"))
        other.hears(topic(f"{B}/commands"))
        assert {*server.heard, *other.heard} == {topic(f"{B}/status"), topic(f"{B}/commands")}


@pytest.mark.parametrize(("reader", "what", "speaker", "where", "heard"), READS)
def test_s17_one_hears_what_is_ones_own(
    broker: Mosquitto, reader: str, what: str, speaker: str, where: str, heard: bool
) -> None:
    marker = topic(f"{A}/commands" if reader == A else f"{B}/status")
    with entering(broker, reader) as listening, entering(broker, speaker) as speaking:
        listening.subscribe(topic(what) if what != "#" else what, marker)
        assert speaking.publish(topic(where)) < 128
        with entering(broker, SERVER if reader == A else B) as marking:
            marking.publish(marker)
        listening.hears(marker)
        assert (topic(where) in listening.heard) is heard


def test_s17_a_last_will_in_another_edges_name_is_never_published(broker: Mosquitto) -> None:
    with entering(broker, SERVER) as server:
        server.subscribe(topic("+/status"))
        dying = entering(broker, A, will=topic(f"{B}/status"))
        dying.connect()
        dying.die()
        own = entering(broker, A, will=topic(f"{A}/status"))
        own.connect()
        own.die()
        server.hears(topic(f"{A}/status"))
        assert server.heard == [topic(f"{A}/status")]


@pytest.mark.parametrize(
    ("user", "password"), [(None, None), (A, "pass-b"), (A, None), ("edge-c", "pass-a"), ("+", "pass-a")]
)
def test_s17_nobody_enters_unknown(broker: Mosquitto, user: str | None, password: str | None) -> None:
    assert Somebody(broker.port, user, password).connect() >= 128


def test_s17_by_certificate_the_common_name_is_the_edge(tmp_path: Path) -> None:
    ca = Authority(tmp_path, "ca")
    server_cert, server_key = ca.issue("server")
    tls = {"ca.crt": ca.file, "server.crt": server_cert, "server.key": server_key}
    own = ca.issue("client", for_clients=True, common_name=A)
    with (
        shipped_broker(tmp_path, password_file(tmp_path, PASSWORDS), tls) as broker,
        Somebody(broker.port, None, certificate=(ca.file, *own)) as edge,
    ):
        assert edge.publish(topic(f"{A}/data")) < 128
        assert edge.publish(topic(f"{B}/data")) == 0x87


def test_the_demos_passwords_are_those_of_its_compose_file(tmp_path: Path) -> None:
    with shipped_broker(tmp_path, SHIPPED / "demo.passwords") as broker:
        for user, password in (("edge-demo-001", "public-demo"), ("server", "server-demo")):
            assert Somebody(broker.port, user, password).connect() == 0
