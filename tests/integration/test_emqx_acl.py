"""Row S17 for EMQX: the shipped rules allow what Mosquitto's allow, and nothing else. No EMQX runs here."""

import re

import pytest

from tests.doubles.documentation import ROOT
from tests.doubles.emqx_acl import allowed, rules_of
from tests.integration.test_broker_acl import MAY_NOT_SAY, MAY_SAY, OUTWARD, READS, A, topic

EMQX = ROOT / "docker" / "emqx"
RULES = rules_of(EMQX / "acl.conf")


@pytest.mark.parametrize(("user", "where"), MAY_SAY)
def test_s17_what_one_may_say_is_allowed(user: str, where: str) -> None:
    assert allowed(RULES, user, "publish", topic(where))


@pytest.mark.parametrize(("user", "where"), [*MAY_NOT_SAY, (A, "+/data"), ("nobody", f"{A}/data")])
def test_s17_what_one_may_not_say_is_denied(user: str, where: str) -> None:
    assert not allowed(RULES, user, "publish", topic(where))


@pytest.mark.parametrize(("reader", "what", "heard"), [(row[0], row[1], row[4]) for row in READS])
def test_s17_one_may_ask_for_what_is_ones_own(reader: str, what: str, heard: bool) -> None:
    assert allowed(RULES, reader, "subscribe", topic(what) if what != "#" else what) is heard


@pytest.mark.parametrize("user", ["+", "#", "edge-a/data", "+/commands"])
def test_s17_a_name_with_a_wildcard_opens_nothing(user: str) -> None:
    for kind in (*OUTWARD, "commands"):
        assert not allowed(RULES, user, "publish", topic(f"{A}/{kind}"))
        assert not allowed(RULES, user, "subscribe", topic(f"{A}/{kind}"))
        assert not allowed(RULES, user, "subscribe", topic(f"+/{kind}"))


def test_s17_s18_both_brokers_have_the_same_limits() -> None:
    emqx = dict(re.findall(r"^  (\w+) = (\w+)$", (EMQX / "base.hocon").read_text("utf-8"), re.MULTILINE))
    conf = (ROOT / "docker" / "mosquitto" / "mosquitto.conf").read_text("utf-8")
    mosquitto = dict(re.findall(r"^(\w+) (\w+)$", conf, re.MULTILINE))
    assert int(emqx["max_packet_size"].removesuffix("KB")) * 1024 == int(mosquitto["max_packet_size"])
    assert emqx["max_inflight"] == mosquitto["max_inflight_messages"]
    assert emqx["max_mqueue_len"] == mosquitto["max_queued_messages"]
    assert emqx["max_connections"] == mosquitto["max_connections"]
    assert (emqx["no_match"], mosquitto["allow_anonymous"]) == ("deny", "false")
