"""The search finds what it is there to find."""

import base64
import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.doubles.canaries import CANARIES, files_with, found_in, with_canaries
from tests.doubles.collector_process import CollectorProcess
from tests.doubles.documentation import ROOT


@pytest.mark.parametrize("name", CANARIES)
def test_s5_a_canary_is_found_in_every_disguise(name: str, tmp_path: Path) -> None:
    secret = CANARIES[name]
    raw = secret.encode()
    login = [base64.b64encode(b"u" * more + b":" + raw + b" and more") for more in range(3)]
    escaped = [json.dumps({"a": secret}).encode(), quote(secret, safe="").encode(), repr(secret).encode()]
    for disguise in (raw, raw.hex().encode(), *login, *escaped):
        assert found_in(b"before " + disguise + b" after") == [secret], disguise
    assert found_in(b"nothing of the kind") == []
    (tmp_path / "leak").write_bytes(raw)
    assert files_with(tmp_path, ()) == {"leak": [raw]}
    assert files_with(tmp_path, [tmp_path / "leak"]) == {}


def test_s5_a_collector_has_a_canary_for_each_secret_that_a_test_leaves_open() -> None:
    given = {"MQTT_BROKER_URL": "mqtt://b", "HTTP_TOKEN_FILE": "token", "LOG_LEVEL": "ERROR", "EDGE_API_TOKEN": "mine"}
    assert with_canaries(given) == given | {
        "MQTT_BROKER_URL": f"mqtt://edge:{CANARIES['url']}@b",
        "MQTT_USERNAME": "edge",
        "MQTT_PASSWORD": CANARIES["mqtt"],
    }
    assert with_canaries({"MQTT_BROKER_URL": "mqtt://u:p@b"})["MQTT_BROKER_URL"] == "mqtt://u:p@b"
    assert with_canaries({})["LOG_LEVEL"] == "DEBUG"


def test_s5_what_a_collector_left_fails_the_test_by_file_and_place(tmp_path: Path) -> None:
    collector = CollectorProcess(tmp_path, {"EDGE_API_TOKEN": CANARIES["plc"]})
    collector.log_file.write_text(f"{CANARIES['plc']}: a secret of the test's own, which looks for it itself", "utf-8")
    collector.__exit__(None, None, None)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "leak.db").write_bytes(b"\0" * 99 + f"Bearer {CANARIES['page']} and so on".encode())
    with pytest.raises(AssertionError, match=rf"data/leak\.db.*Bearer {CANARIES['page']} and so on"):
        collector.__exit__(None, None, None)


_SAYING = """
import logging
from tests.doubles.canaries import CANARIES

def test_by_print(): print(CANARIES["page"])
def test_by_log(): logging.getLogger("library").debug("ends %s here", CANARIES["plc"])
def test_of_nothing(): print("nothing")
"""


def test_s5_a_test_that_passes_and_says_a_secret_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\nlog_level = DEBUG\n", "utf-8")
    (tmp_path / "test_saying.py").write_text(_SAYING, "utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.conftest", "-p", "no:cacheprovider"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert "3 passed, 2 errors" in done.stdout, done.stdout
    assert f"ends {CANARIES['plc']} here" in done.stdout
