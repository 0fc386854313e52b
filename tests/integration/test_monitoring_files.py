"""The files of `docker-compose.monitoring.yml` fit each other and what the collector publishes. None of it runs."""

import re
import tomllib
from pathlib import Path
from typing import cast

import yaml

from fleet_client.topics import Topics
from tests.doubles.documentation import ROOT
from tests.integration.test_container_files import services

DOCKER = ROOT / "docker"
PROVISIONING = DOCKER / "grafana" / "provisioning"
TELEGRAF = (DOCKER / "telegraf" / "telegraf.conf").read_text("utf-8")
SERVICES = services(DOCKER / "docker-compose.monitoring.yml")


def mounted(service: str) -> dict[str, Path | None]:
    """Which file of this folder is where in a container; None for one that the site gives, and for a volume."""
    volumes = [str(each).removesuffix(":ro") for each in cast("list[str]", SERVICES[service]["volumes"])]
    pairs = [each.rpartition(":") for each in volumes]
    return {there: DOCKER / here if here.startswith("./") else None for here, _, there in pairs}


def test_each_image_is_pinned_by_a_version() -> None:
    images = [str(each["image"]) for each in SERVICES.values()]
    assert [image for image in images if not re.search(r":v?\d+\.\d+\.\d+$", image)] == []


def test_every_service_belongs_to_one_of_the_two_ways() -> None:
    metrics, values = ["prometheus"], ["influx"]
    ways = {name: each["profiles"] for name, each in SERVICES.items()}
    assert ways == {"prometheus": metrics, "grafana": metrics, "telegraf": values, "influxdb": values}


def test_prometheus_finds_its_rules_its_gateways_and_their_token() -> None:
    config = yaml.safe_load((DOCKER / "prometheus" / "prometheus.yml").read_text("utf-8"))
    (job,) = config["scrape_configs"]
    (gateways,) = job["file_sd_configs"]
    read = {*config["rule_files"], *gateways["files"], job["authorization"]["credentials_file"]}
    assert read <= mounted("prometheus").keys()


def test_one_gateway_of_many_that_is_away_is_an_alert() -> None:
    folder = DOCKER / "prometheus"
    (job,) = yaml.safe_load((folder / "prometheus.yml").read_text("utf-8"))["scrape_configs"]
    (group,) = yaml.safe_load((folder / "edge-collector.rules.yml").read_text("utf-8"))["groups"]
    expression = next(rule["expr"] for rule in group["rules"] if rule["alert"] == "EdgeAway")
    assert f'up{{job="{job["job_name"]}"}} == 0' in expression
    assert f"job_name: {job['job_name']}\n" in (ROOT / "docs" / "api.md").read_text("utf-8")


def test_grafana_is_given_its_source_and_its_dashboard() -> None:
    (source,) = yaml.safe_load((PROVISIONING / "datasources" / "prometheus.yml").read_text("utf-8"))["datasources"]
    assert source["url"] == "http://prometheus:9090"
    assert "prometheus" in SERVICES
    (provider,) = yaml.safe_load((PROVISIONING / "dashboards" / "edges.yml").read_text("utf-8"))["providers"]
    there = mounted("grafana")
    assert there[f"{provider['options']['path']}/edge-collector.json"] == DOCKER / "grafana" / "edge-collector.json"
    assert {"datasources", "dashboards"} <= {each.split("/")[-2] for each in there}


def test_telegraf_subscribes_to_what_the_edges_publish_and_writes_where_influxdb_keeps_it() -> None:
    config = tomllib.loads(TELEGRAF)
    data, status = config["inputs"]["mqtt_consumer"]
    topics = Topics("edge-1")
    assert [each["topics"][0].replace("+", "edge-1") for each in (data, status)] == [topics.data, topics.status]
    for each in (data, status):
        (parsing,) = each["topic_parsing"]
        assert [parsing["topic"]] == each["topics"]
        assert dict(zip(parsing["tags"].split("/"), parsing["topic"].split("/"), strict=True))["edge"] == "+"
    assert data["client_id"] != status["client_id"]
    assert (data["qos"], data["persistent_session"]) == (1, True)

    (influx,) = config["outputs"]["influxdb_v2"]
    kept = cast("dict[str, str]", SERVICES["influxdb"]["environment"])
    assert influx["organization"] == kept["DOCKER_INFLUXDB_INIT_ORG"]
    assert influx["bucket"] == kept["DOCKER_INFLUXDB_INIT_BUCKET"]
    given = cast("dict[str, str]", SERVICES["telegraf"]["environment"])
    assert set(re.findall(r"\$\{(\w+)\}", TELEGRAF)) == set(given)
