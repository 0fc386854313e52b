"""The search finds what it is there to find."""

import base64
import json
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.doubles.canaries import CANARIES, files_with, found_in


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
    assert files_with(tmp_path, ()) == {"leak": [secret]}
    assert files_with(tmp_path, [tmp_path / "leak"]) == {}
