"""Faults that are switched while a simulator runs: by a test, by attribute, or by a person, in words."""

import asyncio
from collections.abc import Callable
from dataclasses import Field, fields
from typing import Any, ClassVar

_OFF = ("false", "off", "0", "no")


class Switchboard:
    """Base of a dataclass of faults, whose defaults are the healthy state. `on_change` runs after every switch."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]
    on_change: Callable[[], None] | None = None

    def __setattr__(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)
        if self.on_change is not None and name != "on_change":
            self.on_change()

    def clear(self) -> None:
        """Heal everything."""
        for name, healthy in self._healthy().items():
            setattr(self, name, healthy)

    @property
    def active(self) -> tuple[str, ...]:
        """The names of the faults that are on."""
        return tuple(name for name, healthy in self._healthy().items() if getattr(self, name) != healthy)

    def order(self, order: str) -> None:
        """Obey a written order: ``silent``, ``slow_s=2``, ``bad_addresses=3,4``, ``dead@30``, ``clear``.

        ``@30`` heals that fault after 30 seconds. Raises `ValueError` that says what is expected.
        """
        what, at, seconds = order.strip().partition("@")
        name, _, text = what.partition("=")
        known = self._healthy()
        if name == "clear":
            return self.clear()
        if name not in known:
            raise ValueError(f"fault {name!r} is unknown; expected clear or one of {', '.join(known)}")
        value, heal_after_s = _read(name, text, known[name]), _seconds(order, seconds) if at else None
        setattr(self, name, value)
        if heal_after_s is not None:
            asyncio.get_running_loop().call_later(heal_after_s, setattr, self, name, known[name])
        return None

    def _healthy(self) -> dict[str, Any]:
        healthy = type(self)()
        return {each.name: getattr(healthy, each.name) for each in fields(self)}


def _seconds(order: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{text!r} in fault {order!r} is no number of seconds") from None


def _read(name: str, text: str, healthy: object) -> object:
    """A value of the kind that the healthy state has; where that is None, a number if it looks like one."""
    try:
        if isinstance(healthy, bool):
            return text.lower() not in _OFF
        if isinstance(healthy, set):
            return {int(number) for number in text.split(",")}
        if healthy is None and not text.isdecimal() and text:
            return text
        return float(text) if isinstance(healthy, float) else int(text)
    except ValueError:
        raise ValueError(f"fault {name} needs a number, like {name}=2; found {text!r}") from None
