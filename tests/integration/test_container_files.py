"""Row S19: what `docker inspect` would find, read from the files themselves; and the health check on a real process."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import cast

import pytest
import yaml

from collector.cli.check import planned
from collector.settings.model import VARIABLES
from tests.doubles.dockerfile import instructions, is_sent
from tests.doubles.documentation import ROOT
from tests.doubles.hall import Hall, modbus_device

DOCKER = ROOT / "docker"
DOCKERFILE = instructions(DOCKER / "Dockerfile")
COMPOSE_FILES = sorted(DOCKER.glob("docker-compose.*.yml"))

Service = dict[str, object]


def services(file: Path) -> dict[str, Service]:
    """The services of a compose file."""
    return cast("dict[str, Service]", yaml.safe_load(file.read_text("utf-8"))["services"])


EVERY_SERVICE = [
    pytest.param(service, id=f"{file.name}:{name}")
    for file in COMPOSE_FILES
    for name, service in services(file).items()
]


def of(word: str) -> list[str]:
    """What follows a word in the Dockerfile, in order."""
    return [each.rest for each in DOCKERFILE if each.word == word]


def environment() -> dict[str, str]:
    """What the image sets."""
    return dict(pair.split("=", 1) for rest in of("ENV") for pair in rest.split())


# --- the image


def test_s19_the_image_runs_as_nobody_and_ends_on_sigterm() -> None:
    assert of("USER") == ["65532:65532"]
    assert of("STOPSIGNAL") == ["SIGTERM"]
    assert environment()["DATA_DIR"] == "/data"


def test_s19_no_command_of_the_image_needs_a_shell() -> None:
    commands = [each.command for each in DOCKERFILE if each.word in ("RUN", "HEALTHCHECK", "ENTRYPOINT", "CMD")]
    assert len(commands) == 7
    assert not [command for command in commands if {"sh", "bash", "-c && "} & set(command)]


def test_s21_hashes_are_enforced_and_nothing_is_compiled() -> None:
    (install,) = [each.command for each in DOCKERFILE if each.word == "RUN" and "install" in each.rest]
    assert {"--require-hashes", "--only-binary", ":all:"} <= set(install)


def test_what_is_copied_is_there_and_is_sent_to_the_engine() -> None:
    ignore = [line for line in (DOCKER / "Dockerfile.dockerignore").read_text("utf-8").splitlines() if line[:1] != "#"]
    copied = [each for each in DOCKERFILE if each.word == "COPY" and not any("--from" in o for o in each.options)]
    sources = [source for each in copied for source in each.arguments[:-1]]
    assert {"collector", "protocols", "fleet_client", "simulators"} <= set(sources)
    assert [source for source in sources if not (ROOT / source).exists() or not is_sent(source, ignore)] == []
    for kept_back in (".env", "data/outbox/outbox.db", ".git/config", "tests/x.py", "collector/__pycache__/x.pyc"):
        assert not is_sent(kept_back, ignore), kept_back


def test_the_image_has_the_command_as_every_page_calls_it(tmp_path: Path) -> None:
    assert "docker/edge-collector /opt/venv/bin/edge-collector" in of("COPY")
    program = DOCKER / "edge-collector"
    interpreter, _, code = program.read_text("utf-8").partition("\n")
    assert (interpreter, program.stat().st_mode & 0o111) == ("#!/opt/venv/bin/python", 0o111)
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    said = subprocess.run([sys.executable, "-c", code, "--version"], env=environ, check=True, capture_output=True)
    assert said.stdout.startswith(b"edge-collector ")


def test_the_images_packages_are_those_that_the_tests_ran_with() -> None:
    tried, shipped = pins(ROOT / "requirements.lock"), pins(DOCKER / "requirements.lock")
    assert {name: version for name, version in shipped.items() if tried.get(name) != version} == {}
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    (listed,) = re.findall(r"^dependencies = \[(.*?)^\]", project, re.DOTALL | re.MULTILINE)
    needed = {re.split(r"[<>=\[]", name)[0] for name in re.findall(r'"([^"]+)"', listed)}
    assert needed - shipped.keys() == set(), "run: make lock"
    assert not {"pytest", "mypy", "ruff", "hatchling"} & shipped.keys()


def pins(lock: Path) -> dict[str, str]:
    """The version of each package in a lock."""
    return dict(re.findall(r"^([a-z0-9._-]+)==([^ ]+)", lock.read_text("utf-8"), re.MULTILINE))


# --- compose


@pytest.mark.parametrize("service", EVERY_SERVICE)
def test_s19_every_container_is_hardened(service: Service) -> None:
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", str(service["user"]))
    assert [str(each).partition(":")[0] for each in cast("list[str]", service["tmpfs"])] == ["/tmp"]
    assert service["mem_limit"] == service["memswap_limit"]
    assert service["pids_limit"]
    assert service["restart"] == "unless-stopped"
    assert not {"privileged", "network_mode", "pid", "cap_add", "ipc"} & service.keys()
    assert "docker.sock" not in str(service)
    options = cast("dict[str, dict[str, str]]", service["logging"])["options"]
    assert {"max-size", "max-file"} <= options.keys()


@pytest.mark.parametrize("service", EVERY_SERVICE)
def test_s14_nothing_is_published_beyond_this_machine(service: Service) -> None:
    ports = cast("list[str]", service.get("ports", []))
    assert [port for port in ports if "127.0.0.1" not in port] == []


@pytest.mark.parametrize("file", COMPOSE_FILES, ids=lambda file: file.name)
def test_no_image_comes_from_a_named_host(file: Path) -> None:
    images = [str(service["image"]) for service in services(file).values()] + of("FROM") + of("ARG")
    names = [re.sub(r"^\$\{\w+:-(.*)\}$", r"\1", image).rpartition("=")[2] for image in images]
    assert [name for name in names if "." in name.partition("/")[0] and "/" in name] == []


def test_the_edges_file_works_alone_beside_an_env_file() -> None:
    file = DOCKER / "docker-compose.edge.yml"
    (service,) = services(file).values()
    assert service["env_file"] == ".env"
    mounts = cast("list[object]", service["volumes"])
    assert mounts[0] == "data:/data"
    host = cast("dict[str, object]", mounts[1])
    assert (host["source"], host["target"], host["read_only"]) == ("/", "/host", True)
    assert len(mounts) == 2, "no other file of this folder is needed"
    variables = cast("dict[str, str]", service["environment"])
    assert variables["HOST_ROOT"] == host["target"]
    assert variables["START_JITTER_SEC"] == "${START_JITTER_SEC:-30}"
    assert set(variables) - {*VARIABLES} == set()


def test_the_grace_period_is_longer_than_an_end_in_order() -> None:
    (service,) = services(DOCKER / "docker-compose.edge.yml").values()
    assert service["stop_grace_period"] == "10s"  # a forced end comes after 7.5 s


@pytest.mark.parametrize("file", COMPOSE_FILES, ids=lambda file: file.name)
def test_what_compose_mounts_is_there(file: Path) -> None:
    mounted = re.findall(r"- (\./[^:\s]+):", file.read_text("utf-8"))
    assert [source for source in mounted if not (DOCKER / source).is_file()] == []


def test_the_demos_document_has_nothing_to_refuse() -> None:
    plan = planned((DOCKER / "demo/fleet.json").read_bytes(), "auto", ("edge-demo-001",))
    assert (plan.problems, [device.id for device in plan.devices]) == ((), ["1", "gateway"])


# --- the health check


def healthy(alive: Path) -> int:
    """The exit status of the image's own command, run by this Python."""
    (check,) = [each.command for each in DOCKERFILE if each.word == "HEALTHCHECK"]
    command = [sys.executable, *check[1:]]
    environ = {**os.environ, "ALIVE_FILE": str(alive), "PYTHONPATH": str(ROOT), "PYTHONSAFEPATH": "1"}
    return subprocess.run(command, env=environ, check=False, capture_output=True).returncode


async def test_s19_a_collector_that_lives_is_healthy(tmp_path: Path) -> None:
    alive = tmp_path / "alive"
    assert healthy(alive) == 1
    async with Hall(tmp_path, DATA_DIR=tmp_path / "data") as hall:
        hall.configure(modbus_device(await hall.plc()))
        hall.collector.environment = {"ALIVE_FILE": str(alive)}
        hall.collector.start()
        await hall.until(alive.exists, what="a sign of life")
        assert healthy(alive) == 0
        assert (await hall.collector.stop())[0] == 0
