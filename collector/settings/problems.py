"""What is said when the environment can not be used as it is, or only with a word of warning."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One line for the person who edits the file: the variable (or the file) and what is expected of it.

    Neither part ever holds a secret, or any part of one.
    """

    variable: str
    message: str

    def __str__(self) -> str:
        return f"{self.variable}: {self.message}"


class SettingsError(Exception):
    """The settings can not be used. `problems` are all of the mistakes, `warnings` what else was noticed."""

    def __init__(self, problems: tuple[Problem, ...], warnings: tuple[Problem, ...] = ()) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems
        self.warnings = warnings
