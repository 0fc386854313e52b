"""The link of the page: under a name that opens it, with the token that the collector has."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from collector.cli.page_url import page_url
from collector.settings import load_settings
from tests.doubles.documentation import ROOT

NEEDED = {"EDGE_SERVER_URL": "http://127.0.0.1:1", "MQTT_BROKER_URL": "mqtt://127.0.0.1:1", "DEVICE_ID": "edge-1"}
NOBODY = 65534
EVERYWHERE = "0.0.0.0"  # noqa: S104 - what a container listens on


def asked(data_dir: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """What the command does."""
    return subprocess.run(
        [sys.executable, "-m", "collector", "page-url"],
        env={**os.environ, **NEEDED, "PYTHONPATH": str(ROOT), "DATA_DIR": str(data_dir), **settings},
        capture_output=True, text=True, timeout=20, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("settings", "host"),
    [
        ({"HTTP_HOST": "192.168.1.2"}, "192.168.1.2"),
        ({"HTTP_HOST": EVERYWHERE, "HTTP_ALLOWED_HOSTS": "localhost,127.0.0.1"}, "localhost"),
        ({"HTTP_HOST": EVERYWHERE, "HTTP_ALLOWED_HOSTS": "gw7.plant", "EDGE_IP_ADDRESS": "10.0.0.7"}, "gw7.plant"),
        ({"HTTP_HOST": "::", "EDGE_IP_ADDRESS": "10.0.0.7"}, "10.0.0.7"),
    ],
)
def test_the_name_is_one_that_the_page_may_be_asked_for_by(settings: dict[str, str], host: str) -> None:
    assert page_url(load_settings(None, {**NEEDED, **settings}), "t") == f"http://{host}:8090/login#token=t"


def test_a_folder_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    done = asked(tmp_path / "data")
    assert (done.returncode, "DATA_DIR=/var/lib/edge-collector" in done.stderr) == (2, True)
    assert not (tmp_path / "data").exists()


def test_a_token_of_the_settings_needs_no_folder(tmp_path: Path) -> None:
    assert asked(tmp_path / "data", HTTP_TOKEN="from-the-settings").stdout.strip().endswith("#token=from-the-settings")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another user")
@pytest.mark.parametrize("kept", ["kept-by-the-collector\n", ""])
def test_root_has_the_token_of_a_service_and_leaves_nothing_of_its_own(tmp_path: Path, kept: str) -> None:
    private = tmp_path / "private"  # as systemd keeps the folders of its dynamic users
    data = private / "edge-collector"
    data.mkdir(parents=True)
    if kept:
        (data / "http_token").write_text(kept)
        os.chown(data / "http_token", NOBODY, NOBODY)
    os.chown(data, NOBODY, NOBODY)
    data.chmod(0o700)
    private.chmod(0o700)
    done = asked(data)
    assert done.returncode == 0, done.stderr
    token = data / "http_token"
    assert done.stdout.strip().endswith("#token=" + (kept or token.read_text()).strip())
    assert (token.stat().st_uid, [each.name for each in data.iterdir()]) == (NOBODY, ["http_token"])
