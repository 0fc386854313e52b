"""Commands that must not be carried out, each with what it is to be answered: made from a seed, as many as wanted."""

import json
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from collector.clock import iso_utc

HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Spoilt:
    """A payload, and the verdict that it is to get; `command_id` is None where none can be read."""

    payload: bytes
    command_id: str | None
    verdict: tuple[str, str]


Spoil = Callable[["Spoiler", dict[str, object]], Spoilt]


class Spoiler:
    """Makes them for some devices of `tests.doubles.write_lines`; `used` are bodies of ids that were taken."""

    def __init__(self, seed: int, device_ids: tuple[str, ...], now_ms: Callable[[], int]) -> None:
        self.random = random.Random(seed)
        self.now_ms = now_ms
        self.used: list[Mapping[str, object]] = []
        self.device_ids = device_ids
        self._number = 0

    def some(self, count: int) -> Iterator[Spoilt]:
        """So many, of every kind in turn."""
        for _ in range(count):
            kinds = KINDS if self.used else [kind for kind in KINDS if kind is not _other_body]
            yield kinds[self._number % len(kinds)](self, self._good())

    def _good(self) -> dict[str, object]:
        self._number += 1
        value = 20 + self.random.randrange(200) / 10
        params: dict[str, object] = {
            "device_id": self.random.choice(self.device_ids),
            "tag": "setpoint",
            "value": value,
        }
        return {"command_id": f"bad-{self._number}", "command": "write_tag", "params": params}


def _with(code: str, status: str = "rejected", **fields: object) -> Spoil:
    def spoil(spoiler: Spoiler, good: dict[str, object]) -> Spoilt:
        return _told({**good, **fields}, status, code)

    return spoil


def _params(code: str, **params: object) -> Spoil:
    """A parameter is replaced, or left out where it is an ellipsis."""

    def spoil(spoiler: Spoiler, good: dict[str, object]) -> Spoilt:
        sent = good["params"]
        assert isinstance(sent, dict)
        kept = {key: value for key, value in {**sent, **params}.items() if value is not ...}
        return _told({**good, "params": kept}, "rejected", code)

    return spoil


def _value_as_text(text: str, code: str = "invalid_command") -> Spoil:
    """A value that only the text of a JSON can hold."""

    def spoil(spoiler: Spoiler, good: dict[str, object]) -> Spoilt:
        sent = json.dumps({**good, "params": {"device_id": "1", "tag": "setpoint", "value": "VALUE"}})
        return Spoilt(sent.replace('"VALUE"', text).encode(), str(good["command_id"]), ("rejected", code))

    return spoil


def _time(status: str, code: str, key: str, least_ms: int, most_ms: int) -> Spoil:
    """A stamp that is so far from now; negative: in the past."""

    def spoil(spoiler: Spoiler, good: dict[str, object]) -> Spoilt:
        stamp = iso_utc(spoiler.now_ms() + spoiler.random.randint(least_ms, most_ms))
        return _told({**good, key: stamp}, status, code)

    return spoil


def _other_body(spoiler: Spoiler, good: dict[str, object]) -> Spoilt:
    taken = spoiler.random.choice(spoiler.used)
    return _told({**good, "command_id": taken["command_id"], "nonce": good["command_id"]}, "rejected", "id_conflict")


def _many(code: str, values: object) -> Spoil:
    def spoil(spoiler: Spoiler, good: dict[str, object]) -> Spoilt:
        params = {"device_id": spoiler.random.choice(spoiler.device_ids), "values": values}
        sent = {**good, "command": "write_tags", "params": params}
        return _told(sent, "rejected", code)

    return spoil


def _unreadable(change: Callable[[random.Random, bytes], bytes]) -> Spoil:
    def spoil(spoiler: Spoiler, good: dict[str, object]) -> Spoilt:
        return Spoilt(change(spoiler.random, json.dumps(good).encode()), None, ("rejected", "invalid_command"))

    return spoil


def _told(sent: Mapping[str, object], status: str, code: str) -> Spoilt:
    return Spoilt(json.dumps(sent).encode(), str(sent["command_id"]), (status, code))


def _cut(dice: random.Random, good: bytes) -> bytes:
    return good[: dice.randrange(len(good))]


def _not_utf8(dice: random.Random, good: bytes) -> bytes:
    place = dice.randrange(1, len(good) - 1)
    return good[:place] + b"\xff\xfe" + good[place:]


def _oversized(dice: random.Random, good: bytes) -> bytes:
    return good[:-1] + b', "more": "' + b"x" * dice.randrange(65_536, 90_000) + b'"}'


def _deep(dice: random.Random, good: bytes) -> bytes:
    depth = dice.choice((65, 1_000, 20_000))
    return good[:-1] + b', "more": ' + b"[" * depth + b"]" * depth + b"}"


KINDS: list[Spoil] = [
    _unreadable(_cut), _unreadable(_not_utf8), _unreadable(_oversized), _unreadable(_deep),
    _value_as_text("NaN"), _value_as_text("-Infinity"), _value_as_text("1e999"),
    _value_as_text('1, "value": 2'), _value_as_text("9" * 500), _value_as_text("null"),
    _with("invalid_command", params=[1, 2]), _with("invalid_command", params="setpoint"),
    _with("invalid_command", command=None), _with("invalid_command", command=7),
    _with("invalid_command", timestamp="yesterday"), _with("invalid_command", expires_at={"in": 5}),
    _with("unsupported", command="format_disk"), _with("unsupported", command="쓰기"),
    _params("invalid_command", device_id=...), _params("invalid_command", device_id=[1]),
    _params("invalid_command", tag=...), _params("invalid_command", tag=5), _params("invalid_command", value=...),
    _params("invalid_command", value={"a": 1}), _params("unknown_device", device_id="99"),
    _params("unknown_tag", tag="nobody"), _params("unknown_tag", tag="설정값\n"), _params("not_writable", tag="fixed"),
    _params("wrong_type", value="42"), _params("wrong_type", value=True), _params("wrong_type", value=[1, 2]),
    _params("out_of_range", value=-0.1), _params("out_of_range", value=100.01), _params("out_of_range", value=10**40),
    _params("out_of_range", value=99), _params("out_of_range", tag="clamped", value=65_536),
    _many("not_writable", {"setpoint": 30, "fixed": 1}), _many("out_of_range", {"clamped": 5, "setpoint": 101}),
    _many("invalid_command", {}), _many("invalid_command", ["setpoint"]), _many("unknown_tag", {"clamped": 5, "x": 1}),
    _time("expired", "expired", "timestamp", -7 * 24 * HOUR_MS, -61_000),
    _time("rejected", "bad_time", "timestamp", 75_000, 7 * 24 * HOUR_MS),
    _time("expired", "expired", "expires_at", -7 * 24 * HOUR_MS, -1_000),
    _other_body,
]  # fmt: skip
