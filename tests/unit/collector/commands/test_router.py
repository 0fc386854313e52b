"""Commands: one answer each, late and repeated ones never carried out."""

import asyncio
import json
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.commands import router
from collector.commands.arrivals import MAX_ARRIVED, MAX_ARRIVED_BYTES
from collector.commands.outcome import CommandFailed, Handler, Params
from collector.commands.router import MAX_WAITING, Router
from collector.storage.command_store import Sighting
from fleet_client.commands import Command
from tests.doubles.clock import FakeClock
from tests.doubles.command_notes import MemoryAudit, MemoryJournal

SLOW_AND_QUICK = (
    {"command_id": "slow", "command": "at_device", "params": {"device_id": "slow"}},
    {"command_id": "quick", "command": "at_device", "params": {"device_id": "2"}},
    {"command_id": "p", "command": "ping"},
)


@pytest.fixture(autouse=True)
def no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(router, "WIND_UP_S", 0.01)


class Desk:
    """A router with two handlers, a clock that stands still, and the answers it gave."""

    def __init__(self, *, require_timestamp: bool = False, journal: MemoryJournal | None = None) -> None:
        self.clock = FakeClock()
        self.answers: list[dict[str, object]] = []
        self.carried_out: list[Params] = []
        self.at_devices: list[Command] = []
        self.slow = asyncio.Event()
        self.journal = journal or MemoryJournal()
        self.audit = MemoryAudit()
        handlers: dict[str, Handler] = {
            "ping": self._ping,
            "fail": self._fail,
            "crash": self._crash,
            "wait": self._wait,
        }
        self.router = Router(
            handlers,
            lambda body: self.answers.append(json.loads(body)),
            device_handlers={"at_device": self._at_device, "half": self._half},
            journal=self.journal,
            audit=self.audit,
            read_back=self._read_back,
            only_if_noted=("at_device",),
            clock=self.clock,
            max_age_ms=60_000,
            require_timestamp=require_timestamp,
        )

    async def _ping(self, params: Params) -> Mapping[str, object]:
        self.carried_out.append(params)
        return {"version": "1"}

    async def _wait(self, params: Params) -> Mapping[str, object]:
        await self.slow.wait()
        return {}

    async def _fail(self, params: Params) -> Mapping[str, object]:
        raise CommandFailed("error", "device_offline", "PLC 1 is away")

    async def _crash(self, params: Params) -> Mapping[str, object]:
        raise ZeroDivisionError("a bug")

    async def _at_device(self, command: Command) -> Mapping[str, object]:
        self.at_devices.append(command)
        if command.params["device_id"] == "slow":
            await self.slow.wait()
        return {**command.params, "command_id": command.command_id}

    async def _read_back(self, command: Command) -> Mapping[str, object]:
        if "bug" in command.params:
            raise ZeroDivisionError("a bug")
        return {"setpoint": {"value": 42.5, "raw": 425, "quality": "good"}}

    async def _half(self, command: Command) -> Mapping[str, object]:
        raise CommandFailed("error", "device_error", "b was refused", {"a": {"value": 1, "raw": 1}})

    async def send(self, *commands: Mapping[str, object] | bytes, retained: bool = False) -> list[dict[str, object]]:
        already = len(self.answers)
        for command in commands:
            self.router.take(command if isinstance(command, bytes) else json.dumps(command).encode(), retained)
        runner = asyncio.create_task(self.router.run())
        for _ in range(20 * len(commands)):
            await asyncio.sleep(0)
        answers = self.answers[already:]
        runner.cancel()
        await asyncio.gather(runner, return_exceptions=True)
        return answers

    def stamp(self, age_s: float) -> float:
        return (self.clock.wall_ms() - age_s * 1000) / 1000


async def test_a_command_is_carried_out_and_answered() -> None:
    desk = Desk()
    [answer] = await desk.send({"command_id": "c-1", "command": "ping", "params": {"a": 1}})
    assert answer == {
        "command_id": "c-1", "command": "ping", "status": "success", "result": {"version": "1"},
        "error": None, "timestamp": "2026-04-17T08:00:00.000Z", "duration_ms": 0,
    }  # fmt: skip
    assert desk.carried_out == [{"a": 1}]


async def test_the_id_is_echoed_under_the_key_it_came_with() -> None:
    [answer] = await Desk().send({"commandId": "c-2", "action": "ping"})
    assert (answer["command_id"], answer["commandId"]) == ("c-2", "c-2")


async def test_a_known_id_is_answered_again_and_not_carried_out_again() -> None:
    desk = Desk()
    command = {"command_id": "c-1", "command": "ping"}
    [first] = await desk.send(command)
    again = await desk.send(command, command)
    assert again == [first, first]
    assert len(desk.carried_out) == 1
    [conflict] = await desk.send({**command, "params": {"b": 2}})
    assert conflict["status"] == "rejected"
    assert conflict["error"] == {"code": "id_conflict", "message": "this id was used before, with another body"}
    assert len(desk.carried_out) == 1


@pytest.mark.parametrize(
    ("fields", "retained", "status", "code"),
    [
        ({"timestamp": 61}, False, "expired", "expired"),
        ({"timestamp": 59}, False, "success", None),
        ({"timestamp": -61}, False, "rejected", "bad_time"),
        ({"timestamp": -59}, False, "success", None),
        ({"expires_at": 1}, False, "expired", "expired"),
        ({"expires_at": -1}, False, "success", None),
        ({}, False, "success", None),
        ({}, True, "rejected", "retained"),
    ],
)
async def test_only_what_is_of_now_is_carried_out(
    fields: dict[str, float], retained: bool, status: str, code: str | None
) -> None:
    desk = Desk()
    stamps = {key: desk.stamp(age) for key, age in fields.items()}
    [answer] = await desk.send({"command_id": "c", "command": "ping", **stamps}, retained=retained)
    error = answer["error"]
    assert (answer["status"], error["code"] if isinstance(error, dict) else None) == (status, code)
    assert len(desk.carried_out) == (status == "success")


async def test_a_timestamp_can_be_made_a_duty() -> None:
    desk = Desk(require_timestamp=True)
    [refused] = await desk.send({"command_id": "c", "command": "ping"})
    assert refused["error"] == {
        "code": "bad_time", "message": "it has no timestamp, and COMMAND_REQUIRE_TIMESTAMP is on",
    }  # fmt: skip
    [beside] = await desk.send({"command_id": "e", "command": "ping", "expires_at": desk.stamp(-1)})
    assert beside["error"] == refused["error"]
    [taken] = await desk.send({"command_id": "t", "command": "ping", "timestamp": desk.stamp(1)})
    assert taken["status"] == "success"


async def test_what_is_not_known_fails_or_crashes_is_answered() -> None:
    desk = Desk()
    answers = await desk.send(
        {"command_id": 1, "command": "fly"}, {"command_id": 2, "command": "fail"}, {"command_id": 3, "command": "crash"}
    )
    assert [(a["status"], a["error"]["code"]) for a in answers] == [  # type: ignore[index]
        ("rejected", "unsupported"), ("error", "device_offline"), ("error", "internal"),
    ]  # fmt: skip


async def test_what_can_not_be_read_is_answered_without_an_id_at_most_once_in_10_s() -> None:
    desk = Desk()
    answers = await desk.send(b"\xff", b"{", b"[]")
    assert [(a["command_id"], a["error"]["code"]) for a in answers] == [(None, "invalid_command")]  # type: ignore[index]
    desk.clock.advance(10.1)
    assert len(await desk.send(b"{")) == 1


async def test_too_many_waiting_are_refused_as_busy() -> None:
    desk = Desk()
    answers = await desk.send(*[{"command_id": n, "command": "wait"} for n in range(120)])
    assert [answer["error"]["code"] for answer in answers] == ["busy"] * (120 - 1 - MAX_WAITING)  # type: ignore[index]


async def test_w10_a_slow_device_holds_up_neither_ping_nor_other_devices() -> None:
    desk = Desk()
    assert {answer["command_id"] for answer in await desk.send(*SLOW_AND_QUICK)} == {"quick", "p"}


async def test_a_device_command_knows_its_own_id_and_a_repetition_is_not_carried_out() -> None:
    desk = Desk()
    command = {"command_id": "quick", "command": "at_device", "params": {"device_id": "2"}}
    [answer] = await desk.send(command)
    assert answer["result"] == {"device_id": "2", "command_id": "quick"}
    assert await desk.send(command, command) == [answer, answer]
    assert len(desk.at_devices) == 1


async def test_what_a_failed_command_has_achieved_is_in_its_answer() -> None:
    desk = Desk()
    [answer] = await desk.send({"command_id": "h", "command": "half"})
    assert (answer["status"], answer["result"]) == ("error", {"a": {"value": 1, "raw": 1}})


# --- over restarts


async def test_w3_an_id_of_before_a_restart_is_answered_again_and_not_carried_out_again() -> None:
    before = Desk()
    command = {"command_id": "c-1", "command": "ping"}
    [answer] = await before.send(command)
    after = Desk(journal=before.journal)
    assert await after.send(command) == [answer]
    assert not after.carried_out


async def test_w2_another_body_under_an_id_of_before_a_restart_is_a_conflict() -> None:
    before = Desk()
    await before.send({"command_id": "c-1", "command": "ping"})
    after = Desk(journal=before.journal)
    [answer] = await after.send({"command_id": "c-1", "command": "ping", "params": {"a": 1}})
    assert answer["error"] == {"code": "id_conflict", "message": "this id was used before, with another body"}


async def test_w2_the_number_1_and_the_text_1_are_two_ids() -> None:
    desk = Desk()
    await desk.send({"command_id": 1, "command": "ping"}, {"command_id": "1", "command": "ping"})
    assert len(desk.carried_out) == 2


async def test_w7_what_a_crash_cut_off_is_answered_with_what_is_there_and_not_carried_out() -> None:
    journal = MemoryJournal()
    write = {"command_id": "c-7", "command": "at_device", "params": {"device_id": "1"}}
    journal.cut_off = [json.dumps(write).encode()]
    desk = Desk(journal=journal)
    desk.router.take(json.dumps(write).encode(), False)
    answers = await desk.send({"command_id": "p", "command": "ping"})
    [unknown, again] = [answer for answer in answers if answer["command_id"] == "c-7"]
    assert again == unknown
    assert (unknown["status"], unknown["error"]) == (
        "error",
        {
            "code": "outcome_unknown",
            "message": "the collector was stopped while this was carried out; it is not carried out again",
        },
    )
    assert unknown["result"] == {"setpoint": {"value": 42.5, "raw": 425, "quality": "good"}}
    assert not desk.at_devices


async def test_a_write_that_can_not_be_noted_is_not_carried_out_and_the_rest_is() -> None:
    desk = Desk()
    desk.journal.broken = True
    refused, answered = await desk.send(
        {"command_id": "w", "command": "at_device", "params": {"device_id": "1"}},
        {"command_id": "p", "command": "ping"},
    )
    assert refused["error"] == {
        "code": "internal",
        "message": "no record of the command can be kept, so it is not carried out: no room",
    }
    assert not desk.at_devices
    assert answered["status"] == "success"


async def test_an_answer_too_large_to_be_kept_is_not_repeated() -> None:
    desk = Desk()
    large = {"command_id": "c", "command": "at_device", "params": {"device_id": "1", "text": "x" * 65_400}}
    [first] = await desk.send(large)
    assert "text" in str(first["result"])
    [again] = await desk.send(large)
    assert again["status"] == first["status"]
    assert "too large" in str(again["result"])


async def test_s10_every_command_is_in_the_audit_log() -> None:
    desk = Desk()
    await desk.send({"command_id": "a", "command": "ping"}, {"command_id": "b", "command": "fail"})
    assert [(entry["command_id"], entry["status"], entry["code"]) for entry in desk.audit.entries] == [
        ("a", "success", None),
        ("b", "error", "device_offline"),
    ]


async def test_s10_a_known_id_that_is_used_for_something_else_is_in_the_audit_log() -> None:
    desk = Desk()
    await desk.send({"command_id": "a", "command": "ping"})
    await desk.send({"command_id": "a", "command": "fail"})
    assert [(entry["command"], entry["code"]) for entry in desk.audit.entries] == [
        ("ping", None),
        ("fail", "id_conflict"),
    ]


async def test_s10_an_audit_log_that_fails_holds_up_no_other_command() -> None:
    desk = Desk()
    desk.audit.broken = True
    [answer] = await desk.send({"command_id": "a", "command": "ping"})
    assert answer["status"] == "success"


async def test_w10_more_than_can_be_taken_in_at_once_is_refused() -> None:
    desk = Desk()
    for number in range(MAX_ARRIVED + 3):
        desk.router.take(json.dumps({"command_id": number, "command": "ping"}).encode(), False)
    assert [answer["error"]["code"] for answer in desk.answers] == ["busy"] * 3  # type: ignore[index]


async def test_w10_s23_no_more_bytes_wait_than_memory_has_for_them() -> None:
    desk = Desk()
    for number in range(300):
        desk.router.take(json.dumps({"command_id": number, "command": "ping", "more": "x" * 60_000}).encode(), False)
    assert 0 < len(desk.answers) < 300 - MAX_ARRIVED_BYTES // 65_536
    assert {answer["error"]["code"] for answer in desk.answers} == {"busy"}  # type: ignore[index]


# --- at the end


async def test_what_is_under_way_at_the_end_is_answered_and_what_waits_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(router, "WIND_UP_S", 5)
    desk = Desk()
    for command_id, command in (("slow", "at_device"), ("first", "wait"), ("second", "wait")):
        body = {"command_id": command_id, "command": command, "params": {"device_id": "slow"}}
        desk.router.take(json.dumps(body).encode(), False)
    runner = asyncio.create_task(desk.router.run())
    for _ in range(30):
        await asyncio.sleep(0)
    runner.cancel()
    for _ in range(10):
        await asyncio.sleep(0)
    assert [(each["command_id"], each["status"]) for each in desk.answers] == [("second", "rejected")]
    desk.slow.set()
    await asyncio.gather(runner, return_exceptions=True)
    assert {each["command_id"]: each["status"] for each in desk.answers} == {
        "second": "rejected", "slow": "success", "first": "success",
    }  # fmt: skip


# --- where the disk refuses


async def test_what_could_not_be_noted_is_answered_again_from_memory() -> None:
    desk = Desk()
    desk.journal.broken = True
    command = {"command_id": "p", "command": "ping"}
    first = await desk.send(command)
    desk.journal.broken = False
    assert await desk.send(command) == first
    assert len(desk.carried_out) == 1


async def test_an_answer_is_not_told_before_it_is_noted() -> None:
    desk = Desk()
    noted = asyncio.Event()
    end = desk.journal.end

    async def slow_end(sighting: Sighting, answer: bytes) -> None:
        await noted.wait()
        await end(sighting, answer)

    desk.journal.end = slow_end  # type: ignore[method-assign]
    command = json.dumps({"command_id": "p", "command": "ping"}).encode()
    runner = asyncio.create_task(desk.router.run())
    for _ in range(2):
        desk.router.take(command, False)
        for _ in range(20):
            await asyncio.sleep(0)
    assert desk.answers == []
    noted.set()
    for _ in range(20):
        await asyncio.sleep(0)
    assert len(desk.answers) == 1
    runner.cancel()
    await asyncio.gather(runner, return_exceptions=True)


async def test_w7_neither_a_body_that_can_not_be_read_nor_a_read_back_that_fails_ends_the_collector() -> None:
    journal = MemoryJournal()
    journal.cut_off = [b"{", b'{"command_id": "c-7", "command": "at_device", "params": {"bug": 1}}']
    desk = Desk(journal=journal)
    answers = await desk.send({"command_id": "p", "command": "ping"})
    assert {answer["command_id"]: answer["status"] for answer in answers} == {"c-7": "error", "p": "success"}


@settings(max_examples=200, deadline=None)
@given(st.lists(st.binary(max_size=200) | st.text(max_size=200).map(str.encode), max_size=5))
def test_w1_whatever_comes_nothing_is_carried_out_and_little_is_answered(payloads: list[bytes]) -> None:
    async def take() -> None:
        desk = Desk()
        await desk.send(*payloads)
        assert len(desk.answers) <= len(payloads)
        assert not desk.carried_out
        assert not desk.at_devices

    asyncio.run(take())
