"""Commands that look at a collector find the installed service's settings, and only where nothing else is meant."""

import os
from functools import partial
from io import StringIO
from pathlib import Path
from zipfile import ZipFile

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from collector.cli import installed
from collector.cli.commands import app
from collector.cli.install_service import Service
from collector.cli.installed import CREDENTIALS, installed_service, settings_at_hand
from collector.cli.support import journal
from collector.settings import load_settings
from collector.storage.audit_file import AuditFile
from tests.doubles.mosquitto import free_port

PING = {"time": "2026-04-17T08:00:00.000Z", "stage": "command", "command_id": "c-1", "command": "ping"}


@pytest.fixture
def units(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The unit of a service, the settings that it names, and a folder to stand in that has none of its own."""
    settings = tmp_path / "etc" / ".env"
    settings.parent.mkdir()
    nobody = f"127.0.0.1:{free_port()}"
    settings.write_text(
        f"EDGE_SERVER_URL=http://{nobody}\nMQTT_BROKER_URL=mqtt://{nobody}\nDEVICE_ID=edge-of-service\n"
    )
    settings.chmod(0o600)
    unit = Service(Path("/usr/bin/python3"), settings).unit().replace("/var/lib/edge-collector", str(tmp_path / "lib"))
    (tmp_path / "edge-collector.service").write_text(unit, "ascii")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    for name in ("DATA_DIR", "START_JITTER_SEC", "PYTHONDONTWRITEBYTECODE", "MQTT_KEY_FILE", *installed._MEANS_ANOTHER):
        monkeypatch.setenv(name, "")  # so that what a command sets is taken back
        monkeypatch.delenv(name)
    return tmp_path


def at_hand(units: Path, env_file: Path | None = None) -> tuple[Path | None, str]:
    console = Console(file=StringIO())
    taken = settings_at_hand(env_file, console, units, units / "none")
    assert isinstance(console.file, StringIO)
    return taken, console.file.getvalue()


def typed(units: Path, monkeypatch: pytest.MonkeyPatch, *words: str) -> Result:
    monkeypatch.setattr(installed, "settings_at_hand", partial(settings_at_hand, units=units, settings=units / "none"))
    return CliRunner().invoke(app, words, env={"COLUMNS": "200"})


def test_where_nothing_else_is_named_it_is_the_services_and_its_folder(units: Path) -> None:
    taken, said = at_hand(units)
    assert taken == units / "etc" / ".env"
    assert said == f"settings: {taken}, of {units}/edge-collector.service\n"
    settings = load_settings(taken, os.environ)
    assert (settings.edge_id, settings.data_dir) == ("edge-of-service", units / "lib")


def test_named_by_hand_it_has_its_folder_all_the_same(units: Path) -> None:
    assert at_hand(units, units / "etc" / ".env")[0] == units / "etc" / ".env"
    assert os.environ["DATA_DIR"] == str(units / "lib")


def test_what_is_set_by_hand_wins_over_the_unit(units: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_DIR", "/media/old-disk")
    assert at_hand(units)[0] == units / "etc" / ".env"
    assert os.environ["DATA_DIR"] == "/media/old-disk"
    monkeypatch.setenv("DATA_DIR", "")
    monkeypatch.setenv("DEVICE_ID", "")
    assert at_hand(units)[0] == units / "etc" / ".env", "an empty value is an unset one"
    assert os.environ["DATA_DIR"] == str(units / "lib")


def test_an_env_file_here_or_by_name_is_another_collectors(units: Path) -> None:
    Path(".env").touch()
    taken, said = at_hand(units)
    assert (taken, said) == (None, f"settings: .env here; those of the service: --env-file {units}/etc/.env\n")
    other = units / "other.env"
    assert at_hand(units, other)[0] == other
    assert "DATA_DIR" not in os.environ


def test_so_is_an_environment_that_a_collector_could_run_by(units: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEVICE_ID", "edge-of-container")
    taken, said = at_hand(units)
    assert (taken, "settings: the environment; " in said) == (None, True)


def test_without_a_service_nothing_is_said(tmp_path: Path) -> None:
    assert at_hand(tmp_path) == (None, "")
    (tmp_path / "edge-collector.service").write_text("[Service]\nExecStart=/usr/bin/true\n")
    (tmp_path / "none").touch()
    assert at_hand(tmp_path) == (None, ""), "a unit that somebody wrote: nobody knows where its data is"
    assert at_hand(tmp_path, tmp_path / "x") == (tmp_path / "x", "")


def test_before_it_is_installed_its_settings_are_looked_at_with_the_folder_that_it_will_have(units: Path) -> None:
    (units / "edge-collector.service").unlink()
    console = Console(file=StringIO())
    settings = units / "etc" / ".env"
    assert settings_at_hand(None, console, units, settings) == settings
    assert os.environ["DATA_DIR"] == "/var/lib/edge-collector"
    assert isinstance(console.file, StringIO)
    assert "a service that is not installed" in console.file.getvalue()


def test_what_the_site_added_counts_and_credentials_are_the_files_they_come_from(units: Path) -> None:
    folder = units / "edge-collector.service.d"
    folder.mkdir()
    (folder / "10-site.conf").write_text(
        "[Service]\nLoadCredential=mqtt-key:/etc/edge-collector/mqtt.key\n"
        "Environment=MQTT_KEY_FILE=%d/mqtt-key 'COMPANY_CODE=50%% of it' \\\n  SITE_TZ=Asia/Seoul\n"
        f'Environment="MQTT_CA_FILE={CREDENTIALS}/mqtt-key"\nEnvironment="A\n'
    )
    found = installed_service(units, units / "none")
    assert found is not None
    assert found.environment["DATA_DIR"] == str(units / "lib")
    assert found.environment["MQTT_KEY_FILE"] == "/etc/edge-collector/mqtt.key"
    assert found.environment["MQTT_CA_FILE"] == "/etc/edge-collector/mqtt.key"
    assert found.environment["COMPANY_CODE"] == "50% of it"
    assert found.environment["SITE_TZ"] == "Asia/Seoul"
    (folder / "20-anew.conf").write_text(
        "[Service]\nEnvironment=\nEnvironment=DATA_DIR=/data\nLoadCredential=\nLoadCredential=settings:/etc/other.env\n"
    )
    found = installed_service(units, units / "none")
    assert found is not None
    assert (found.settings, found.environment) == (Path("/etc/other.env"), {"DATA_DIR": "/data"})


def test_settings_that_only_root_may_read_say_so(units: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: mode == os.F_OK and Path(path).exists())
    assert at_hand(units)[1].endswith("; run it as root (sudo)\n")


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["doctor"], 1),
        (["support-bundle", "--output", "bundle.zip"], 0),
        (["audit"], 0),
        (["buffer", "stats"], 1),
        (["buffer", "export"], 1),
        (["page-url"], 0),
    ],
    ids=lambda each: each[0] if isinstance(each, list) else "",
)
def test_each_command_that_looks_at_a_collector_finds_it(
    units: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], status: int
) -> None:
    (units / "lib").mkdir(mode=0o700)
    AuditFile(units / "lib" / "audit").append([PING])
    result = typed(units, monkeypatch, *words)
    assert f"settings: {units}/etc/.env, of " in result.output
    assert result.exit_code == status, result.output
    assert not Path("data").exists()


def test_the_bundle_says_whose_settings_it_has(units: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert typed(units, monkeypatch, "support-bundle", "--output", "bundle.zip").exit_code == 0
    with ZipFile("bundle.zip") as bundle:
        assert bundle.read("settings.txt").decode().startswith(f"# settings file: {units}/etc/.env\n")


@pytest.mark.parametrize("of_service", [True, False])
def test_the_bundle_of_the_service_has_its_journal(
    units: Path, monkeypatch: pytest.MonkeyPatch, of_service: bool
) -> None:
    program = units / "bin" / "journalctl"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\necho "07:00 starting, as told by $*"\n', "utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
    monkeypatch.setattr(journal, "UNITS", units)
    if not of_service:
        Path(".env").write_bytes((units / "etc" / ".env").read_bytes())
    assert typed(units, monkeypatch, "support-bundle", "--output", "bundle.zip").exit_code == 0
    with ZipFile("bundle.zip") as bundle:
        told = {name: bundle.read(name).decode() for name in bundle.namelist() if name.startswith("logs/")}
    if of_service:
        assert told["logs/journal.log"].startswith("07:00 starting, as told by --unit edge-collector ")
    else:
        assert list(told) == ["logs/none.txt"]


@pytest.mark.parametrize("words", [["audit"], ["buffer", "stats"]], ids=lambda words: words[0])
def test_a_folder_that_is_named_needs_no_settings(
    units: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    result = typed(units, monkeypatch, *words, "--data-dir", str(units / "elsewhere"))
    assert "settings:" not in result.output
    assert str(units / "elsewhere") in result.output
