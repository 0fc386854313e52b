"""Starts a program that ends with the process that started it, however that one ends.

This file is also the program in between, by its path: it asks the kernel for that, and then becomes the other one.
Whoever is killed outright can end nobody any more, and a child can not be asked to look: Mosquitto is none of ours.
"""

import os
import sys

_SET_PARENT_DEATH_SIGNAL = 1
_KILL = 9


def leashed(*command: str) -> tuple[str, ...]:
    """What to run in place of `command`, whose first word is a path. Elsewhere than on Linux it is the same."""
    if not sys.platform.startswith("linux"):
        return command
    return (sys.executable, "-I", "-S", __file__, str(os.getpid()), *command)


def _become(parent: int, command: list[str]) -> None:
    import ctypes  # by the program in between alone

    ctypes.CDLL(None, use_errno=True).prctl(_SET_PARENT_DEATH_SIGNAL, _KILL)
    if os.getppid() == parent:  # else it ended before it could be asked for
        os.execv(command[0], command)  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    _become(int(sys.argv[1]), sys.argv[2:])
