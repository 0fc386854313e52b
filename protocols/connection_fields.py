"""Reads a document's `connection` object: leniently in form, strictly in meaning."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from protocols.errors import Refused

_NUMERIC = re.compile(r"(?:0x[0-9a-f]+|\d+)(?:\.(?:0x[0-9a-f]*|\d*))*", re.ASCII)
_LOGIN = re.compile(r"[^\s/'\"]*:[^\s'\"]*@")
_LONGEST_HOST = 253
_SEARCHED, _SHOWN = 1_000, 160
"""Whoever writes a novel where a host should be costs no more time than that: the search takes its square."""


def quoted(given: object) -> str:
    """A field as it came, but for a log-in that somebody wrote before a host, and cut to a readable length."""
    text = _LOGIN.sub("***@", repr(given)[:_SEARCHED])
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


@dataclass(frozen=True, slots=True)
class ConnectionFields:
    """The fields as they came. Each reader takes a field's name and then its aliases; null and blank are absent."""

    fields: Mapping[str, object]

    def host(self) -> str:
        """`host`, `ip` or `address`: a name or an address, in lower case. Raises `Refused` on ``host``."""
        found = self._find("host", "ip", "address")
        if found is None:
            raise Refused("host", "connection.host is missing; expected the PLC's IP address or name")
        _, given = found
        host = given.strip().removeprefix("[").removesuffix("]").lower() if isinstance(given, str) else ""
        if not host or "/" in host or any(character.isspace() for character in host):
            raise Refused(
                "host", f"connection.host is {quoted(given)}; expected an IP address or a name and nothing else"
            )
        if len(host) > _LONGEST_HOST:
            raise Refused("host", f"connection.host has {len(host):,} characters; expected at most {_LONGEST_HOST}")
        if host.count(":") == 1:
            raise Refused("host", f"connection.host is {quoted(given)}; expected no port in it, but in connection.port")
        return _in_plain_decimal(host, given)

    def whole(self, names: tuple[str, ...], *, default: int, least: int, most: int) -> int:
        """A whole number, `default` when absent. Raises `Refused` on the name that it came under."""
        found = self._find(*names)
        if found is None:
            return default
        name, given = found
        number = _whole(given)
        if number is None or not least <= number <= most:
            raise Refused(name, f"connection.{name} is {quoted(given)}; expected a whole number from {least} to {most}")
        return number

    def word(self, name: str) -> str | None:
        """A field's text in lower case when it is one, else None."""
        found = self._find(name)
        return found[1].strip().lower() if found and isinstance(found[1], str) else None

    def text(self, *names: str) -> str | None:
        """A field's text without the space around it, None when absent. Raises `Refused` when it is no text."""
        found = self._find(*names)
        if found is None:
            return None
        name, given = found
        if not isinstance(given, str):
            raise Refused(name, f"connection.{name} is {quoted(given)}; expected a text")
        return given.strip()

    def choice(self, name: str, *, default: str, choices: tuple[str, ...]) -> str:
        """One of `choices`, which are in lower case, `default` in lower case when absent. Raises `Refused`."""
        found = (self.text(name) or default).lower()
        if found not in choices:
            raise Refused(
                name, f"connection.{name} is {quoted(self.fields[name])}; expected one of {', '.join(choices)}"
            )
        return found

    def _find(self, *names: str) -> tuple[str, object] | None:
        for name in names:
            given = self.fields.get(name)
            if given is not None and not (isinstance(given, str) and not given.strip()):
                return name, given
        return None


def _in_plain_decimal(host: str, given: object) -> str:
    """192.168.001.010 is meant in decimal; systems take 010 for octal, and 192.168.1 for 192.168.0.1."""
    if not _NUMERIC.fullmatch(host):
        return host
    numbers = [int(part) for part in host.split(".") if part.isdecimal()]
    if len(numbers) != 4 or host.count(".") != 3 or max(numbers) > 255:
        raise Refused("host", f"connection.host is {quoted(given)}; expected four numbers up to 255, or a name")
    return ".".join(map(str, numbers))


def _whole(given: object) -> int | None:
    """1000, 1000.0, "1000" and " 1000.0 " alike; a truth value is no number."""
    if isinstance(given, bool) or not isinstance(given, int | float | str):
        return None
    try:
        number = Decimal(given.strip() if isinstance(given, str) else given)
        return int(number) if number.is_finite() and abs(number) < 10**9 and number == int(number) else None
    except InvalidOperation:
        return None
