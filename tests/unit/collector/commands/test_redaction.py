"""A document may be shown, its secrets may not."""

import json

import pytest

from collector.commands.redaction import secrets_of, without_secrets


def test_every_spelling_of_a_secret_is_masked() -> None:
    secret = "canary-7f3a"
    document = {
        "edge_name": "스피폭스",
        "devices": [
            {
                "id": "1",
                "connection": {"host": "h", "username": "u", "password": secret, "Pass_Word": secret, "apiKey": secret},
                "tags": [{"name": "token_count", "address": "40001", "unit": None, "Secret": ""}],
            }
        ],
    }
    shown = without_secrets(b"\xef\xbb\xbf" + json.dumps(document).encode())
    assert secret not in json.dumps(shown)
    assert shown["edge_name"] == "스피폭스"
    assert json.dumps(shown).count("***") == 3


def test_a_number_of_5_000_digits_is_shown_as_text() -> None:
    body = b'{"scale": %b, "password": "canary", "bit": 1}' % (b"1" * 5_000)
    assert without_secrets(body) == {"scale": "1" * 5_000, "password": "***", "bit": 1}
    assert secrets_of(body) == ("canary",)


def test_a_log_in_inside_a_url_is_masked() -> None:
    body = json.dumps({"endpoint": "opc.tcp://user:pa:ss@host:4840/path", "plain": "opc.tcp://host:4840/@x"})
    assert without_secrets(body.encode("utf-16")) == {
        "endpoint": "opc.tcp://***@host:4840/path",
        "plain": "opc.tcp://host:4840/@x",
    }


@pytest.mark.timeout(60)
@pytest.mark.parametrize("hostile", ["a://:", "a://" + ":" * 1_000_000, "://", "a", ":@", "a://:@", "a://a"])
def test_a_novel_is_searched_but_once(hostile: str) -> None:
    text = hostile * (2_000_000 // len(hostile))
    without_secrets(json.dumps({"x": text, "host": text}).encode())  # would take hours
