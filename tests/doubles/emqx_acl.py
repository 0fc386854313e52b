"""An EMQX `acl.conf`, read as its documentation says: from top to bottom, the first rule that fits decides.

Only what the shipped file uses. It is no EMQX: it shows that the rules mean what they should, if EMQX reads them so.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_RULE = re.compile(
    r'\{(?P<verdict>allow|deny), (?:all|\{username, (?:"(?P<name>[^"]+)"|\{re, "(?P<pattern>[^"]+)"\})\})'
    r"(?:, (?P<action>publish|subscribe|all), \[(?P<topics>[^\]]+)\])?\}\."
)


@dataclass(frozen=True, slots=True)
class Rule:
    """One line. A `name` or `pattern` of None is everybody, an `action` of None everything."""

    allows: bool
    name: str | None
    pattern: str | None
    action: str | None
    topics: Sequence[str]

    def fits(self, user: str, action: str, topic: str) -> bool:
        """Whether it decides."""
        if self.name not in (None, user) or (self.pattern is not None and not re.search(self.pattern, user)):
            return False
        if self.action is None:
            return True
        filters = (each.replace("${username}", user) for each in self.topics)
        return self.action in ("all", action) and any(_covers(each, topic) for each in filters)


def rules_of(file: Path) -> list[Rule]:
    """The rules in order. Raises `ValueError` for a line that is none."""
    lines = [line for line in file.read_text("utf-8").splitlines() if line and not line.startswith("%%")]
    return [_rule(line) for line in lines]


def allowed(rules: Sequence[Rule], user: str, action: str, topic: str) -> bool:
    """Whether a user may ``publish`` there or ``subscribe`` to it. Raises `StopIteration` where no rule decides."""
    return next(rule.allows for rule in rules if rule.fits(user, action, topic))


def _rule(line: str) -> Rule:
    found = _RULE.fullmatch(line)
    if found is None:
        raise ValueError(f"no rule: {line}")
    topics = re.findall(r'"([^"]+)"', found["topics"] or "")
    return Rule(found["verdict"] == "allow", found["name"], found["pattern"], found["action"], topics)


def _covers(topic_filter: str, topic: str) -> bool:
    """A filter that is asked for counts as a topic: ``+`` is covered by ``+`` and by ``#`` alone."""
    wanted, asked = topic_filter.split("/"), topic.split("/")
    if wanted[-1] == "#":
        return all(w in ("+", a) for w, a in zip(wanted[:-1], asked, strict=False)) and len(asked) >= len(wanted) - 1
    return len(wanted) == len(asked) and all(w in ("+", a) and a != "#" for w, a in zip(wanted, asked, strict=True))
