import asyncio

import pytest

from simulators.fleet import HttpFaults
from simulators.modbus import Faults


def test_a_healthy_simulator_has_no_active_faults() -> None:
    assert Faults().active == ()
    assert HttpFaults().active == ()


@pytest.mark.parametrize(
    ("order", "name", "value"),
    [
        ("silent", "silent", True),
        ("silent=off", "silent", False),
        ("slow_s=2", "slow_s", 2.0),
        (" bad_addresses=3,4 ", "bad_addresses", {3, 4}),
        ("connection_limit=1", "connection_limit", 1),
        ("wrong_length=-3", "wrong_length", -3),
    ],
)
def test_orders_in_words(order: str, name: str, value: object) -> None:
    faults = Faults()
    faults.order(order)
    assert getattr(faults, name) == value
    assert faults.active == ((name,) if value else ())


def test_a_fault_without_a_default_takes_numbers_and_texts() -> None:
    faults = HttpFaults()
    faults.order("status=503")
    faults.order("redirect=http://127.0.0.1:1/elsewhere")
    assert (faults.status, faults.redirect) == (503, "http://127.0.0.1:1/elsewhere")


@pytest.mark.parametrize(
    ("order", "says"),
    [
        ("sulky", "'sulky' is unknown; expected clear or one of dead, connection_limit"),
        ("on_change", "unknown"),
        ("slow_s=quite", "slow_s needs a number, like slow_s=2; found 'quite'"),
        ("slow_s", "needs a number"),
        ("silent@soon", "'soon' in fault 'silent@soon' is no number of seconds"),
    ],
)
def test_an_order_that_is_not_understood_changes_nothing(order: str, says: str) -> None:
    faults = Faults()
    with pytest.raises(ValueError, match=says):
        faults.order(order)
    assert faults.active == ()


def test_clear_heals_everything_and_leaves_no_shared_sets_behind() -> None:
    faults = Faults()
    faults.bad_addresses.add(3)
    faults.order("silent")
    faults.order("clear")
    assert faults.active == ()
    assert Faults().bad_addresses == set()


def test_every_switch_is_told() -> None:
    faults, told = Faults(), []
    faults.on_change = lambda: told.append(faults.active)
    faults.dead = True
    faults.dead = False
    assert told == [("dead",), ()]


async def test_a_fault_with_a_time_heals_by_itself() -> None:
    faults, healed = Faults(), asyncio.Event()
    faults.order("silent@0.01")
    assert faults.silent
    faults.on_change = healed.set
    await asyncio.wait_for(healed.wait(), 5)
    assert not faults.silent
