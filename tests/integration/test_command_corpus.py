"""Ten thousand bad commands and a thousand good ones, sent five times each, through the real process to four PLCs.

By default a share of them; ``COMMANDS=all`` sends all, which takes some minutes.
"""

import itertools
import json
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, TypeVar

import pytest

from collector.clock import SystemClock
from tests.doubles.command_desk import verdict
from tests.doubles.hall import EDGE_ID, Hall
from tests.doubles.spoilt_commands import Spoiler
from tests.doubles.write_lines import PROTOCOLS, line_of

Item = TypeVar("Item")

GOOD, BAD = (250, 10_000) if os.environ.get("COMMANDS") == "all" else (10, 400)
"""Good ones a device, and bad ones in all."""

TIMES = 5
AT_ONCE = 40
COMMANDS = f"vexplor/devices/{EDGE_ID}/commands"


class Sender:
    """Sends to the collector of a hall and keeps the answers, by their id."""

    def __init__(self, hall: Hall) -> None:
        self.hall = hall
        self.answers: defaultdict[object, list[dict[str, Any]]] = defaultdict(list)
        self._seen = 0

    async def send(self, payloads: Mapping[object, bytes], anonymous: Iterable[bytes] = ()) -> None:
        """Send all, and wait until each that has an id was answered once more than before."""
        due = {command_id: len(self._of(command_id)) + 1 for command_id in payloads}
        for payload in (*anonymous, *payloads.values()):
            assert self.hall.listener.publish(COMMANDS, payload)
        await self.hall.until(lambda: all(len(self._of(each)) >= due[each] for each in due), 30, "all answers")

    def _of(self, command_id: object) -> list[dict[str, Any]]:
        heard = self.hall.heard
        for topic, body, _ in heard[self._seen :]:
            if topic.endswith("/responses"):
                self.answers[body["command_id"]].append(body)
        self._seen = len(heard)
        return self.answers[command_id]


def good_writes() -> list[dict[str, object]]:
    """Each a value of its own, the devices in turn."""
    return [
        {
            "command_id": f"good-{device}-{number}",
            "command": "write_tag",
            "params": {"device_id": device, "tag": "setpoint", "value": 20.1 + number / 10},
        }
        for number in range(GOOD)
        for device in PROTOCOLS
    ]


def batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    """So few at a time that none is too many."""
    remaining = iter(items)
    while batch := list(itertools.islice(remaining, AT_ONCE)):
        yield batch


async def listening(hall: Hall, begun: int) -> None:
    """Until the collector, since so many messages, takes commands and reads all of its devices."""

    def read() -> set[object]:
        return {body["connection_id"] for topic, body, _ in hall.heard[begun:] if topic.endswith("/data")}

    await hall.until(lambda: read() == set(PROTOCOLS), 20, "data of all devices")


async def started_anew(hall: Hall, epoch: object) -> int:
    """Until there is data of a later epoch; returns how many messages there were then."""
    await hall.until(lambda: epoch_of(hall) != epoch, 20, "another epoch")
    return len(hall.heard)


def epoch_of(hall: Hall) -> object:
    """That of the newest data."""
    meta = hall.messages("data")[-1]["meta"]
    assert isinstance(meta, dict)
    return meta["epoch"]


async def begin_anew(hall: Hall, sender: Sender, number: int) -> int:
    """After each passage through all commands another way to do so; returns how many messages there were then."""
    epoch = epoch_of(hall)
    match number:
        case 0:
            body = json.dumps({"command_id": "again", "command": "restart"}).encode()
            await sender.send({"again": body})
        case 1:
            hall.collector.kill()
            hall.collector.start()
        case 2:
            await hall.proxy.cut()
            await hall.proxy.open()
            return len(hall.heard)
        case _:
            await hall.collector.stop()
            retained = json.dumps(good_writes()[0] | {"command_id": "kept"}).encode()
            assert hall.listener.publish(COMMANDS, retained, retain=True)
            hall.collector.start()
    return await started_anew(hall, epoch)


@pytest.mark.timeout(1_800 if GOOD > 10 else 60)
async def test_w1_w2_w3_w4_w5_s8_of_bad_and_repeated_commands_exactly_the_good_are_carried_out_once(
    tmp_path: Path,
) -> None:
    async with AsyncExitStack() as stack:
        hall = await stack.enter_async_context(Hall(tmp_path, WRITES_ENABLED="yes"))
        lines = {protocol: await stack.enter_async_context(line_of(protocol)) for protocol in PROTOCOLS}
        hall.configure(*({**line.device(), "id": protocol, "name": protocol} for protocol, line in lines.items()))
        hall.collector.start()
        sender = Sender(hall)
        spoiler = Spoiler(5, PROTOCOLS, SystemClock().wall_ms)
        good = {each["command_id"]: json.dumps(each).encode() for each in good_writes()}
        wanted: dict[object, set[object]] = defaultdict(set)
        begun = 0
        for number in range(TIMES):
            await listening(hall, begun)
            some_bad = -(-BAD // TIMES // -(-len(good) // AT_ONCE))
            for batch in batches(good.items()):
                bad = list(spoiler.some(some_bad))
                for each in bad:
                    wanted[each.command_id].add(each.verdict)
                anonymous = [each.payload for each in bad if each.command_id is None]
                named = [each for each in bad if each.command_id is not None]
                await sender.send(dict(batch), anonymous)
                for part in batches(named):
                    await sender.send({each.command_id: each.payload for each in part})
                spoiler.used += [json.loads(payload) for _, payload in batch]
            begun = await begin_anew(hall, sender, number)

        for command_id in good:
            answers = [each for each in sender.answers[command_id] if verdict(each) == ("success", None)]
            assert len(answers) >= TIMES
            assert all(each == answers[0] for each in answers)
            others = {verdict(each) for each in sender.answers[command_id] if each not in answers}
            assert others == wanted[command_id]  # of another body under its id, if there was one
        for command_id, verdicts in wanted.items():
            if command_id not in good:
                assert {verdict(each) for each in sender.answers[command_id]} <= verdicts, command_id
        await hall.until(lambda: sender._of("kept"), what="the retained command's answer")
        assert {verdict(each) for each in sender.answers["kept"]} == {("rejected", "retained")}
        assert {protocol: line.writes for protocol, line in lines.items()} == dict.fromkeys(PROTOCOLS, GOOD)
        assert {await line.word(0) for line in lines.values()} == {round((20.1 + (GOOD - 1) / 10) * 10)}
        assert "Traceback" not in hall.collector.log
