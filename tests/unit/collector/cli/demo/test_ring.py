"""Logs that must not reach the screen."""

import logging
from collections.abc import Iterator

import pytest
import structlog

from collector.cli.demo.ring import Line, Ring
from collector.status.log_limit import THING


@pytest.fixture
def ring() -> Iterator[Ring]:
    root, before = logging.getLogger(), structlog.get_config()
    handlers, level = root.handlers[:], root.level
    ring = Ring()
    ring.catch_logs()
    yield ring
    logging.captureWarnings(False)
    root.handlers, root.level = handlers, level
    structlog.configure(**before)


def _said(ring: Ring) -> list[tuple[str, str]]:
    return [(line.level, line.text) for line in ring.lines]


def test_our_log_comes_with_its_details_and_is_not_printed(ring: Ring, capsys: pytest.CaptureFixture[str]) -> None:
    log = structlog.get_logger()
    log.debug("too much")
    log.warning("device is offline", device="냉각수_칠러", reason="no answer\nin 3 s")
    assert _said(ring) == [("warning", "device is offline device=냉각수_칠러 reason=no answer in 3 s")]
    assert capsys.readouterr() == ("", "")


def test_what_only_the_limit_of_lines_needs_is_not_shown(ring: Ring) -> None:
    structlog.get_logger().info("device is online", id="1", **{THING: "device"})
    assert _said(ring) == [("info", "device is online id=1")]


def test_a_fault_is_told_in_one_line(ring: Ring) -> None:
    try:
        raise KeyError("gone")
    except KeyError:
        structlog.get_logger().exception("command failed")
    assert _said(ring) == [("error", "command failed KeyError('gone')")]


def test_libraries_are_heard_from_warning_on(ring: Ring, capsys: pytest.CaptureFixture[str]) -> None:
    logging.getLogger("asyncio").info("chat")
    logging.getLogger("asyncio").error("trouble %d", 7)
    assert _said(ring) == [("error", "asyncio: trouble 7")]
    assert capsys.readouterr() == ("", "")


def test_the_echo_hears_each_line_as_it_comes() -> None:
    heard: list[Line] = []
    Ring(heard.append).say("hello", "warning")
    assert [(line.level, line.text) for line in heard] == [("warning", "hello")]
