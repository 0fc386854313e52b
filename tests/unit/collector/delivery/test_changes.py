"""`publish: on_change`: what moved far enough, what changed its quality, and everything now and then."""

import itertools
import json
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.config.plan import Deadband, DevicePlan, OnChange
from collector.delivery.changes import Changes, moved
from collector.delivery.encode import ScanEncoder
from collector.polling.scan import Scan
from protocols.base import Value
from protocols.quality import Quality
from tests.doubles.clock import FakeClock
from tests.doubles.driver import ScriptedDriver
from tests.doubles.plans import device_plan

MAX_S = 60


class Subscriber:
    """A device's scans on their way out, and what comes out of them."""

    def __init__(self, *names: str, send_empty: bool = False, meta: bool = True, **deadbands: Deadband) -> None:
        self.clock = FakeClock()
        self.changes = Changes(self.clock, send_empty=send_empty)
        self.plan = self.plan_of(names, deadbands)
        self.encoder = ScanEncoder(
            topic=lambda: "t", epoch="e", next_seq=itertools.count(1).__next__, meta=meta, send_empty=send_empty
        )

    @staticmethod
    def plan_of(names: tuple[str, ...], deadbands: dict[str, Deadband]) -> DevicePlan:
        plan = replace(device_plan(ScriptedDriver(), [1]), names=names)
        return replace(plan, on_change=OnChange(MAX_S, tuple(deadbands.items())))

    def take(self, after_s: float = 1.0, **values: Value | Quality) -> dict[str, object] | None:
        """The message of a scan of these tags so long after the one before: `tags` and `quality`, None without one."""
        self.clock.advance(after_s)
        bad = {at: value for at, value in enumerate(values.values()) if isinstance(value, Quality)}
        good = [None if isinstance(value, Quality) else value for value in values.values()]
        published = self.changes.of(Scan(self.plan, self.clock.wall_ms(), tuple(values), good, bad))
        messages = self.encoder.messages(published) if published else []
        if not messages:
            return None
        body = json.loads(messages[0][1].payload)
        said: dict[str, object] = body["tags"]
        return said | ({"quality": body["meta"]["quality"]} if "quality" in body.get("meta", ()) else {})


def band(distance: str = "0", percent: str = "0") -> Deadband:
    return Deadband(Decimal(distance), Decimal(percent))


def test_all_tags_at_start_and_then_what_changed() -> None:
    subscriber = Subscriber("a", "b")
    assert subscriber.take(a=1, b="x") == {"a": 1, "b": "x"}
    assert subscriber.take(a=1, b="x") is None
    assert subscriber.take(a=2, b="x") == {"a": 2}
    assert subscriber.take(a=2, b="y") == {"b": "y"}


def test_a_slow_drift_is_measured_from_the_last_published_value() -> None:
    subscriber = Subscriber("a", a=band("0.5"))
    seen = [subscriber.take(a=value) for value in (20.0, 20.2, 20.4, 20.5, 20.7, 20.1, 20.0)]
    assert seen == [{"a": 20.0}, None, None, {"a": 20.5}, None, None, {"a": 20.0}]


@pytest.mark.parametrize(
    ("published", "value", "deadband", "moves"),
    [
        (25.3, 25.4, band("0.1"), True),  # in binary the difference is 0.0999…
        (25.4, 25.3, band("0.1"), True),
        (25.3, 25.39, band("0.1"), False),
        (200, 203, band(percent="1.5"), True),
        (200, 202, band(percent="1.5"), False),
        (-200, -203, band(percent="1.5"), True),
        (100, 104, band("5", "1"), False),
        (1000, 1009, band("5", "1"), False),
        (1000, 1010, band("5", "1"), True),
        (0, 1e-9, band(percent="50"), True),
        (5, 5, band("0"), False),
        (2**63, 2**63 + 1, band("1"), True),
        (2**63, 2**63 + 1, band("2"), False),
        (5, 5.0, None, False),
        (True, False, band("5"), True),
        (1, True, band("5"), True),
        ("STOP", "AUTO", band("5"), True),
        ("STOP", 7, band("5"), True),
        ([1, 2], [1, 3], band("2"), False),
        ([1, 2], [1, 4], band("2"), True),
        ([[1, 2]], [[1, 4]], band("2"), True),
        ([1, 2], [1, 2, 3], band("9"), True),
        ([1, 2], [1, 2], None, False),
    ],
)
def test_how_far_is_far_enough(published: Value, value: Value, deadband: Deadband | None, moves: bool) -> None:
    assert moved(published, value, deadband) is moves


TENTHS = st.integers(-10_000, 10_000)
NUMBERS = st.one_of(TENTHS.map(lambda tenths: tenths / 10), st.integers(-(2**63), 2**64 - 1), st.floats(-1e12, 1e12))


@given(NUMBERS, NUMBERS, st.integers(0, 50), st.integers(0, 20))
def test_it_is_reckoned_as_a_person_would(before: float, now: float, tenths: int, percent: int) -> None:
    exact_before, exact_now = (Fraction(Decimal(repr(number))) for number in (before, now))
    least = max(Fraction(tenths, 10), abs(exact_before) * percent / 100)
    far = exact_now != exact_before and abs(exact_now - exact_before) >= least
    assert moved(before, now, Deadband(Decimal(tenths) / 10, Decimal(percent))) is far


def test_not_even_the_smallest_number_is_rounded_away() -> None:
    assert not moved(0.1, 1.2e-38, Deadband(Decimal("0.1"), Decimal(0)))


def test_everything_goes_out_every_publish_max_sec() -> None:
    subscriber = Subscriber("a", "b")
    seen = [subscriber.take(a=1, b=2) for _ in range(3 * MAX_S + 1)]
    assert [second for second, message in enumerate(seen) if message] == [0, MAX_S, 2 * MAX_S, 3 * MAX_S]
    assert seen[MAX_S] == {"a": 1, "b": 2}


def test_a_slow_tag_is_refreshed_with_its_next_value() -> None:
    subscriber = Subscriber("fast", "slow")
    assert subscriber.take(fast=1, slow=1) == {"fast": 1, "slow": 1}
    assert subscriber.take(MAX_S, fast=1) == {"fast": 1}
    assert subscriber.take(fast=1, slow=1) == {"slow": 1}
    assert subscriber.take(fast=1, slow=1) is None


def test_a_quality_that_changes_is_published_even_alone() -> None:
    subscriber = Subscriber("a", "b", a=band("100"))
    subscriber.take(a=1, b=2)
    assert subscriber.take(a=Quality.BAD_ADDRESS, b=2) == {"quality": {"a": "bad_address"}}
    assert subscriber.take(a=Quality.BAD_ADDRESS, b=2) is None
    assert subscriber.take(a=Quality.TIMEOUT, b=2) == {"quality": {"a": "timeout"}}
    assert subscriber.take(a=1, b=2) == {"a": 1}


def test_a_cycle_that_gave_nothing_sends_nothing_and_nothing_is_forgotten() -> None:
    subscriber = Subscriber("a", "b")
    subscriber.take(a=1, b=2)
    assert subscriber.take(a=Quality.TIMEOUT, b=Quality.TIMEOUT) is None
    assert subscriber.take(a=1, b=Quality.TIMEOUT) == {"a": 1, "quality": {"b": "timeout"}}
    assert subscriber.take(a=1, b=2) == {"b": 2}


def test_with_empty_messages_wanted_an_outage_is_said_once() -> None:
    subscriber = Subscriber("a", "b", send_empty=True)
    subscriber.take(a=1, b=2)
    assert subscriber.take(a=Quality.TIMEOUT, b=Quality.TIMEOUT) == {"quality": {"*": "timeout"}}
    assert subscriber.take(a=Quality.TIMEOUT, b=Quality.TIMEOUT) is None
    assert subscriber.take(a=1, b=2) == {"a": 1, "b": 2}


def test_without_meta_there_is_no_message_about_quality_alone() -> None:
    subscriber = Subscriber("a", "b", meta=False)
    subscriber.take(a=1, b=2)
    assert subscriber.take(a=Quality.TIMEOUT, b=2) is None
    assert subscriber.take(a=1, b=2) == {"a": 1}


def test_a_new_plan_begins_anew_and_devices_have_nothing_to_do_with_each_other() -> None:
    subscriber = Subscriber("a")
    assert subscriber.take(a=1) == {"a": 1}
    subscriber.plan = replace(subscriber.plan, id="2")
    assert subscriber.take(a=1) == {"a": 1}
    assert subscriber.take(a=1) is None
    subscriber.plan = subscriber.plan_of(("a",), {})
    assert subscriber.take(a=1) == {"a": 1}


def test_the_state_of_devices_that_are_gone_is_let_go() -> None:
    subscriber = Subscriber("a")
    for number in range(1000):
        subscriber.plan = replace(subscriber.plan, id=str(number))
        assert subscriber.take(a=1) == {"a": 1}
    assert len(subscriber.changes._devices) <= MAX_S + 1


def test_every_poll_ignores_deadbands() -> None:
    subscriber = Subscriber("a")
    subscriber.plan = replace(subscriber.plan, on_change=None)
    assert [subscriber.take(a=1), subscriber.take(a=1)] == [{"a": 1}, {"a": 1}]


READINGS = st.one_of(st.integers(-20, 20), st.sampled_from([Quality.TIMEOUT, Quality.BAD_ADDRESS]))


@given(
    st.lists(st.tuples(st.integers(1, 40), READINGS, READINGS), max_size=40),
    st.integers(0, 5),
    st.integers(0, 50),
)
def test_a_subscriber_is_never_further_off_than_the_deadband(
    cycles: list[tuple[int, int | Quality, int | Quality]], distance: int, percent: int
) -> None:
    """Whoever keeps the last message of each tag knows its quality exactly, and its value but for the deadband."""
    subscriber = Subscriber("a", "b", a=band(str(distance), str(percent)))
    knows: dict[str, object] = {}
    now_s, undisturbed = 0, True
    for after_s, a, b in cycles:
        now_s += after_s
        said, quality = spoken(subscriber.take(after_s, a=a, b=b))
        if isinstance(a, Quality) and isinstance(b, Quality):
            assert said == quality == {}
            undisturbed = False
            continue
        published = knows.get("a")
        knows |= said | quality
        assert knows["b"] == b
        if isinstance(a, Quality) or not isinstance(published, int):
            assert knows["a"] == a
        elif a != published and abs(a - published) >= max(Decimal(distance), abs(Decimal(published)) * percent / 100):
            assert said["a"] == a
        elif undisturbed and now_s - cycles[0][0] < MAX_S:
            assert "a" not in said


def spoken(message: dict[str, object] | None) -> tuple[dict[str, object], dict[str, object]]:
    """What a message says of values, and of qualities."""
    said = dict(message or {})
    quality = said.pop("quality", {})
    assert isinstance(quality, dict)
    if "*" in quality:
        quality = dict.fromkeys(("a", "b"), quality["*"])
    return said, {name: Quality(str(word)) for name, word in quality.items()}
