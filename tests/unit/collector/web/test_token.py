"""The token is made once, is for its owner only, and opens nothing while there is none."""

import stat
from pathlib import Path

import pytest

from collector.web.hosts import AllowedHosts, is_loopback, is_wildcard
from collector.web.token import Token

EVERYWHERE = "0.0.0.0"  # noqa: S104 - no socket is bound to it here


def test_it_is_made_at_first_need_and_kept(tmp_path: Path) -> None:
    made = Token(None, tmp_path / "data").needed()
    assert len(made) >= 32
    assert Token(None, tmp_path / "data").needed() == made
    file = tmp_path / "data" / "http_token"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert [each.name for each in file.parent.iterdir()] == ["http_token"]


def test_nothing_opens_before_there_is_one_and_that_which_is_made_elsewhere_does(tmp_path: Path) -> None:
    served = Token(None, tmp_path)
    assert not served.fits("")
    assert not served.fits_cookie("")
    assert not (tmp_path / "http_token").exists()
    made = Token(None, tmp_path).needed()
    assert served.fits(made)


def test_the_setting_wins(tmp_path: Path) -> None:
    token = Token("by hand", tmp_path)
    assert token.needed() == "by hand"
    assert token.fits("by hand")
    assert not token.fits("by hanD")
    assert not (tmp_path / "http_token").exists()


def test_the_cookie_is_not_the_token_and_neither_stands_for_the_other(tmp_path: Path) -> None:
    token = Token("by hand", tmp_path)
    assert token.fits_cookie(token.cookie())
    assert not token.fits(token.cookie())
    assert not token.fits_cookie("by hand")
    assert not Token("another", tmp_path).fits_cookie(token.cookie())


@pytest.mark.parametrize(
    ("bound", "allowed", "header", "expected"),
    [
        ("127.0.0.1", (), "127.0.0.1:8090", True),
        ("127.0.0.1", (), "localhost:8090", True),
        ("::1", (), "[::1]:8090", True),
        ("127.0.0.1", (), "evil.example:8090", False),
        ("127.0.0.1", (), "", False),
        ("127.0.0.1", (), "192.168.1.2", False),
        ("127.0.0.1", (), "127.0.0.1.evil.example", False),
        ("127.0.0.1", ("edge.plant",), "EDGE.plant:8090", True),
        ("192.168.1.2", (), "192.168.1.2:8090", True),
        ("192.168.1.2", (), "192.168.1.3:8090", False),
        (EVERYWHERE, (), "192.168.1.2:8090", True),
        (EVERYWHERE, (), "evil.example", False),
        ("::", (), "[fe80::1]:80", True),
    ],
)
def test_s14_hosts(bound: str, allowed: tuple[str, ...], header: str, expected: bool) -> None:
    assert AllowedHosts(bound, allowed).allows(header) is expected


def test_loopback_and_wildcard() -> None:
    assert all(map(is_loopback, ("127.0.0.1", "127.9.9.9", "::1", "[::1]", "localhost")))
    assert not any(map(is_loopback, (EVERYWHERE, "::", "192.168.1.2", "edge.plant")))
    assert all(map(is_wildcard, (EVERYWHERE, "::")))
    assert not any(map(is_wildcard, ("127.0.0.1", "edge.plant")))
