"""`migrate`: every line is accounted for, no secret where it does not belong, and the result starts."""

import stat
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from collector.cli.migrate import migrate_settings
from collector.settings import load_settings

OLD = """\
EDGE_SERVER_URL="http://pipeline:8080/"
MQTT_BROKER_URL=mqtt://pipeline:1883
DEVICE_ID=edge-1 # the id
EDGE_CONFIG_SOURCE=aas
AAS_PASSWORD=canary-aas
LOGLEVEL=DEBUG
COMPANY_CODE=
MQTT_USERNAME=spifox
MQTT_PASSWORD='canary # "x" \\\\ $y'
"""


@pytest.fixture
def old(tmp_path: Path) -> Path:
    file = tmp_path / "old.env"
    file.write_text(OLD, "utf-8")
    file.chmod(0o600)
    return file


def migrate(old: Path, output: str | None) -> tuple[int, str]:
    errors = StringIO()
    return migrate_settings(old, output, Console(file=errors, soft_wrap=True)), errors.getvalue()


def test_the_new_file_starts_and_its_secrets_are_kept(old: Path, tmp_path: Path) -> None:
    new = tmp_path / ".env"
    assert migrate(old, str(new)) == (0, "")
    before, after = load_settings(old.with_name(".env"), {}), new.read_text("utf-8")
    assert before.mqtt_password is not None
    assert before.mqtt_password.get_secret_value() == 'canary # "x" \\ $y'
    assert (before.edge_config_source, before.edge_id) == ("api", "edge-1")
    assert stat.S_IMODE(new.stat().st_mode) == 0o600
    assert "# EDGE_CONFIG_SOURCE was aas" in after
    assert "# AAS_PASSWORD: no variable of this collector" in after
    assert "# LOGLEVEL: no variable of this collector; did you mean LOG_LEVEL?" in after
    assert "# COMPANY_CODE: was empty" in after
    assert "canary-aas" not in after


def test_a_file_is_not_overwritten(old: Path, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("mine")
    status, said = migrate(old, str(tmp_path / ".env"))
    assert (status, "File exists" in said, (tmp_path / ".env").read_text()) == (2, True, "mine")


@pytest.mark.parametrize(("output", "terminal", "shown"), [(None, True, 0), (None, False, 1), ("-", True, 1)])
def test_a_terminal_shows_no_secret_unless_asked(
    old: Path, output: str | None, terminal: bool, shown: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = StringIO()
    monkeypatch.setattr(out, "isatty", lambda: terminal, raising=False)
    monkeypatch.setattr("sys.stdout", out)
    status, said = migrate(old, output)
    assert status == 0
    assert out.getvalue().count("canary") == shown
    assert "canary" not in said
    assert "DEVICE_ID=edge-1" in out.getvalue()


def test_what_has_to_be_mended_is_said(tmp_path: Path) -> None:
    old = tmp_path / "old.env"
    old.write_text("EDGE_SERVER_URL=pipeline\nLOG_LEVEL=verbose\n")
    status, said = migrate(old, str(tmp_path / ".env"))
    assert status == 1
    for name in ("EDGE_SERVER_URL", "LOG_LEVEL", "MQTT_BROKER_URL: is missing", "DEVICE_ID"):
        assert name in said
        assert name in (tmp_path / ".env").read_text()


def test_no_such_file(tmp_path: Path) -> None:
    status, said = migrate(tmp_path / "gone.env", None)
    assert status == 2
    assert "no such file" in said
