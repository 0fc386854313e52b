"""Row S2: our own certificate is known to end 30 days before it does."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.delivery.certificate_watch import CODE, CertificateWatch
from collector.delivery.mqtt.certificate import _ends_at, ends_at
from collector.status.board import Board
from tests.doubles.certificates import DAY, Authority
from tests.doubles.clock import FakeClock


@pytest.mark.parametrize("end", [DAY, 200 * DAY, timedelta(days=365 * 40), -DAY / 24])
@pytest.mark.parametrize("weak", [False, True])
def test_s2_the_end_of_a_certificate_is_read_from_its_file(tmp_path: Path, end: timedelta, weak: bool) -> None:
    ca = Authority(tmp_path, "한국 CA")
    file, key = ca.issue("client", start=-2 * DAY, end=end, weak=weak, common_name="edge-1")
    # Key and words before it, a chain behind it: the first certificate is ours.
    file.write_bytes("한글".encode() + key.read_bytes() + file.read_bytes() + ca.file.read_bytes())
    assert abs(ends_at(file) - (datetime.now(UTC) + end)) < timedelta(seconds=90)


async def test_s2_it_is_told_30_days_before_and_cleared_by_a_new_one(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    ca, clock = Authority(tmp_path, "CA"), FakeClock(int(now.timestamp() * 1000))
    board = Board(clock)
    file, _ = ca.issue("client", end=29 * DAY)
    watch = CertificateWatch(file, board, clock)
    await watch.look()
    assert f"{now + 29 * DAY:%Y-%m-%d}" in board.conditions[CODE].detail
    ca.issue("client", end=31 * DAY)
    await watch.look()
    assert CODE not in board.conditions
    ca.issue("client", end=-DAY / 2)
    await watch.look()
    assert "ended at" in board.conditions[CODE].detail
    file.write_text("no certificate")
    await watch.look()
    assert "can not be read" in board.conditions[CODE].detail
    file.unlink()
    await watch.look()
    assert "No such file" in board.conditions[CODE].detail


@given(st.binary(max_size=200))
def test_whatever_stands_in_the_file_it_is_a_value_error_at_most(der: bytes) -> None:
    with suppress(ValueError, IndexError):
        _ends_at(der)
