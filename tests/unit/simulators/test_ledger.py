import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.ledger import Gap, Ledger
from simulators.stamps import stamp

START_MS = 1_776_412_800_000
DATA, EVENTS = "vexplor/devices/edge-a/data", "vexplor/devices/edge-a/events"


def data(seq: int, *, epoch: str = "mi4k2x9a", value: float = 1.5, **meta: object) -> bytes:
    numbered = {"epoch": epoch, "seq": seq, **meta}
    return orjson.dumps({"timestamp": stamp(START_MS + seq * 1000), "tags": {"온도": value}, "meta": numbered})


def fed(*seqs: int) -> Ledger:
    ledger = Ledger()
    for seq in seqs:
        ledger.feed(DATA, data(seq), START_MS + seq * 1000 + 40)
    return ledger


def test_everything_in_order_leaves_nothing_to_say() -> None:
    account = fed(1, 2, 3).account("edge-a")
    assert account.seqs.ranges() == [(1, 3)]
    assert account.holes(first=1) == account.unexplained(first=1) == []
    assert (account.duplicates, account.conflicts, account.late) == (0, 0, 0)
    assert (account.first_ms, account.last_ms) == (START_MS + 1000, START_MS + 3000)
    assert (account.delay_ms(50), account.delay_ms(99)) == (40, 40)


def test_holes_repetitions_and_late_ones_are_counted() -> None:
    ledger = fed(3, 4, 7, 4, 5)
    account = ledger.account("edge-a")
    assert account.holes() == [(6, 6)]
    assert account.holes(first=1, last=9) == [(1, 2), (6, 6), (8, 9)]
    assert (account.duplicates, account.late, account.conflicts) == (1, 1, 0)
    assert (ledger.received, ledger.duplicates, ledger.missing) == (4, 1, 1)


def test_a_gap_report_explains_a_hole() -> None:
    ledger = fed(1, 2, 6)
    gap = {"type": "gap", "epoch": "mi4k2x9a", "from_seq": 3, "to_seq": 4, "count": 2, "reason": "limit"}
    for _ in range(2):
        ledger.feed(EVENTS, orjson.dumps(gap), START_MS)
    account = ledger.account("edge-a")
    assert account.gaps == [Gap(3, 4, "limit")]
    assert account.holes() == [(3, 5)]
    assert account.unexplained() == [(5, 5)]
    assert account.seqs.ranges() == [(1, 2), (6, 6)]


def test_a_loss_of_which_only_the_count_is_known_explains_no_hole() -> None:
    ledger = fed(1, 2, 6)
    loss = {
        "type": "gap", "timestamp": stamp(START_MS), "epoch": "mi4k2x9a",
        "from_seq": 3, "to_seq": None, "count": 2, "reason": "corrupt",
    }  # fmt: skip
    for event in (loss, loss, {**loss, "timestamp": stamp(START_MS + 1)}):
        ledger.feed(EVENTS, orjson.dumps(event), START_MS)
    account = ledger.account("edge-a")
    assert [each.count for each in account.losses] == [2, 2]
    assert account.gaps == []
    assert account.unexplained() == [(3, 5)]
    assert ledger.not_understood == 0


def test_one_number_with_two_contents_is_a_conflict_but_the_buffered_mark_is_none() -> None:
    ledger = fed(1)
    ledger.feed(DATA, data(1, buffered=True), START_MS)
    assert ledger.account("edge-a").conflicts == 0
    ledger.feed(DATA, data(1, value=9.9), START_MS)
    assert ledger.account("edge-a").conflicts == 1
    assert ledger.account("edge-a").buffered == 1


def test_each_start_of_each_edge_has_its_own_account_and_the_newest_is_the_default() -> None:
    ledger = Ledger()
    ledger.feed(DATA, data(1, epoch="zz"), START_MS)
    ledger.feed(DATA, data(1, epoch="100"), START_MS)
    ledger.feed("vexplor/devices/edge-b/data", data(5, epoch="zz"), START_MS)
    assert set(ledger.accounts) == {("edge-a", "zz"), ("edge-a", "100"), ("edge-b", "zz")}
    assert ledger.account("edge-a").epoch == "100"
    assert ledger.duplicates == 0


def test_what_an_edge_says_it_recorded_shows_a_loss_at_the_end() -> None:
    ledger = fed(1, 2)
    event = {"type": "restart", "previous_epoch": "mi4k2x9a", "last_recorded_seq": 4}
    ledger.feed(EVENTS, orjson.dumps(event), START_MS)
    account = ledger.account("edge-a")
    assert account.holes(first=1, last=account.recorded) == [(3, 4)]


def test_data_without_numbers_and_other_topics_open_no_account() -> None:
    ledger = Ledger()
    ledger.feed(DATA, orjson.dumps({"timestamp": stamp(START_MS), "tags": {}}), START_MS)
    ledger.feed("vexplor/devices/edge-a/status", b'{"status": "online"}', START_MS)
    assert (ledger.unnumbered, ledger.not_understood, ledger.accounts) == (1, 0, {})


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{",
        b"[]",
        b'{"meta": {}}',
        b'{"timestamp": "yesterday", "tags": {}, "meta": {"epoch": "a", "seq": 1}}',
        b'{"timestamp": "2026-04-17T08:00:00", "tags": {}, "meta": {"epoch": "a", "seq": 1}}',
        b'{"timestamp": "2026-04-17T08:00:00Z", "tags": {}, "meta": {"epoch": "a", "seq": "1"}}',
        b'{"timestamp": "2026-04-17T08:00:00Z", "tags": {}, "meta": {"epoch": "\xea\xb0\x80", "seq": 1}}',
        b'{"timestamp": "2026-04-17T08:00:00Z", "tags": {"x": NaN}, "meta": {"epoch": "a", "seq": 1}}',
        b"\xff\xfe",
    ],
)
def test_what_is_not_understood_is_counted_and_named(payload: bytes) -> None:
    ledger = Ledger()
    ledger.feed(DATA, payload, START_MS)
    assert (ledger.not_understood, ledger.accounts) == (1, {})
    assert ledger.last_not_understood is not None
    assert DATA in ledger.last_not_understood


@given(st.binary(max_size=60), st.sampled_from([DATA, EVENTS, "other", "vexplor/devices//data"]))
def test_no_payload_can_break_it(payload: bytes, topic: str) -> None:
    Ledger().feed(topic, payload, START_MS)
    Ledger().feed(topic, orjson.dumps({"type": "gap", "meta": payload.hex(), "epoch": 1}), START_MS)


@given(st.permutations(range(1, 15)), st.sets(st.integers(1, 14)))
def test_holes_are_exactly_what_never_came(order: list[int], lost: set[int]) -> None:
    ledger = fed(*(seq for seq in order if seq not in lost), 15)
    holes = ledger.account("edge-a").holes(first=1, last=15)
    assert {seq for first, last in holes for seq in range(first, last + 1)} == lost
