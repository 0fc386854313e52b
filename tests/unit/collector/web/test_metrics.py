"""What Prometheus reads is well formed, and the dashboard and the rules ask for nothing that there is not."""

import json
import re
from pathlib import Path

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from collector.status.board import BufferState, SinkState
from collector.web.metrics import Snapshot, exposition
from tests.doubles.documentation import ROOT
from tests.doubles.page_rig import PageRig

DASHBOARD = ROOT / "docker" / "grafana" / "edge-collector.json"
RULES = ROOT / "docker" / "prometheus" / "edge-collector.rules.yml"


@pytest.fixture
async def families(tmp_path: Path) -> dict[str, list[tuple[str, dict[str, str], float]]]:
    """Samples by the family's name."""
    async with PageRig(tmp_path) as page:
        page.feed("1")
        page.down("2", "no answer")
        page.board.raise_condition("insecure", "plain")
        page.board.sinks["kafka"] = SinkState("kafka:9092", 1000)
        page.board.config.version = 'quote " backslash \\ and\nline'
        text = exposition(Snapshot.of(page.sources)).decode()
    return {
        family.name: [(sample.name, dict(sample.labels), sample.value) for sample in family.samples]
        for family in text_string_to_metric_families(text)
    }


Families = dict[str, list[tuple[str, dict[str, str], float]]]


async def test_the_parser_of_prometheus_takes_it(families: Families) -> None:
    samples = {name: (labels, value) for family in families.values() for name, labels, value in family}
    wanted = "edge_cpu_usage edge_ram_usage edge_disk_usage edge_temperature edge_heartbeat_total"
    assert set(wanted.split()) <= samples.keys()
    assert samples["edge_heartbeat_total"][1] == 3
    assert samples["edge_config_info"][0]["version"] == 'quote " backslash \\ and\nline'
    failures = families["edge_device_poll_failures"]
    assert failures == [("edge_device_poll_failures_total", {"device": "2", "kind": "timeout"}, 1.0)]
    states = {(labels["device"], labels["state"]) for _, labels, value in families["edge_device_state"] if value}
    assert {("1", "online"), ("2", "offline"), ("4", "refused")} <= states


async def test_further_sinks_are_told_where_there_are_any(tmp_path: Path) -> None:
    async with PageRig(tmp_path) as page:
        assert b"edge_sink" not in exposition(Snapshot.of(page.sources))
        page.board.sinks["http"] = SinkState("http://uplink", 1000, up=True, buffer=BufferState(2, 90, None, 9, 6, 1))
        page.board.sinks["kafka"] = SinkState("kafka:9092", 1000)
        text = exposition(Snapshot.of(page.sources)).decode()
    told = {
        (sample.name, sample.labels["sink"]): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name.startswith("edge_sink")
    }
    assert {name.removeprefix("edge_sink_"): value for (name, sink), value in told.items() if sink == "http"} == {
        "up": 1, "messages": 2, "bytes": 90, "limit_bytes": 1000, "made_total": 9, "acknowledged_total": 6,
        "dropped_total": 1,
    }  # fmt: skip
    assert told["edge_sink_up", "kafka"] == 0
    assert {name for name, _ in told} <= set(re.findall(r"`(edge_[a-z_]+)`", (ROOT / "docs/api.md").read_text("utf-8")))


async def test_the_histogram_adds_up(families: Families) -> None:
    samples = families["edge_device_poll_duration_seconds"]
    took = [(name.rpartition("_")[2], value) for name, labels, value in samples if labels["device"] == "1"]
    buckets = [value for part, value in took if part == "bucket"]
    assert buckets == sorted(buckets)
    assert buckets[-1] == dict(took)["count"] == 1
    assert dict(took)["sum"] == 0.02


async def test_names_bear_their_units_and_labels_are_few(families: Families) -> None:
    for name, samples in families.items():
        assert re.fullmatch(r"(edge|process)_[a-z_]+", name)
        assert {key for _, labels, _ in samples for key in labels} <= {
            "device", "name", "state", "kind", "le", "code", "edge_id", "version", "sink",
        }  # fmt: skip
    assert not any("tag 0001" in str(samples) for samples in families.values())


def asked(text: str) -> set[str]:
    """The metrics that an expression names."""
    return set(re.findall(r"\b(?:edge|process)_[a-z_]+", text))


async def test_dashboard_and_rules_ask_for_what_there_is(families: Families) -> None:
    there = {name for samples in families.values() for name, _, _ in samples}
    panels = json.loads(DASHBOARD.read_text("utf-8"))["panels"]
    queries = [target["expr"] for panel in panels for target in panel.get("targets", ())]
    rules = [rule for group in yaml.safe_load(RULES.read_text("utf-8"))["groups"] for rule in group["rules"]]
    assert len(queries) >= 10
    assert len(rules) >= 8
    for expression in (*queries, *(rule["expr"] for rule in rules)):
        names = asked(expression)
        assert names, expression
        assert names - there == set(), expression
    assert {"edge_mqtt_connected", "edge_sink_up"} <= asked(" ".join(queries))
    for rule in rules:
        assert rule["labels"]["severity"] in {"warning", "critical"}
        assert {"summary", "description"} <= rule["annotations"].keys()
        assert asked(rule["annotations"]["description"]) <= there
