"""Waiting times between attempts."""

import random


class Backoff:
    """Full jitter: each wait is anywhere between nothing and a ceiling, which doubles from 1 s to `longest_s`."""

    def __init__(self, longest_s: float) -> None:
        self._longest_s = longest_s
        self._ceiling_s = 1.0

    def next_s(self) -> float:
        """How long to wait before the next attempt."""
        wait_s = random.uniform(0, min(self._ceiling_s, self._longest_s))  # noqa: S311 - no secret in it
        self._ceiling_s = min(self._ceiling_s * 2, self._longest_s)
        return wait_s

    def reset(self) -> None:
        """It works again."""
        self._ceiling_s = 1.0
