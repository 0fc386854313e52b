"""A Dockerfile and its ignore file as the engine reads them: instructions, and what is sent to it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Instruction:
    """``COPY a b``: the word, and what follows it."""

    word: str
    rest: str

    @property
    def arguments(self) -> list[str]:
        """Without options like ``--from=build``."""
        return [each for each in self.rest.split() if not each.startswith("--")]

    @property
    def options(self) -> list[str]:
        """Only these."""
        return [each for each in self.rest.split() if each.startswith("--")]

    @property
    def command(self) -> list[str]:
        """The list of the exec form. Raises `ValueError` for the shell's form."""
        _, bracket, listed = self.rest.partition("[")
        command: list[str] = json.loads(bracket + listed)
        return command


def instructions(file: Path) -> list[Instruction]:
    """In order."""
    lines = [line for line in file.read_text("utf-8").splitlines() if not line.lstrip().startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    words = [line.strip().partition(" ") for line in joined.splitlines() if line.strip()]
    return [Instruction(word, rest.strip()) for word, _, rest in words]


def is_sent(path: str, ignore: Sequence[str]) -> bool:
    """Whether the ignore file lets it through; the last line that fits decides."""
    sent = True
    for line in ignore:
        pattern = line.removeprefix("!").removeprefix("**/")
        parts = [path, *(str(parent) for parent in Path(path).parents), *Path(path).parts]
        if any(fnmatch(part, pattern) for part in parts):
            sent = line.startswith("!")
    return sent
