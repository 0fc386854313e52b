"""Waiting times between attempts."""

import random

_STEADY = 0.9


class Backoff:
    """Full jitter: each wait is anywhere between nothing and a ceiling, which doubles from 1 s to `longest_s`.

    After the first wait below that last ceiling all are close to it: the edges of a broker that was away for long
    are spread over it by then, and come back as thinly as they can.
    """

    def __init__(self, longest_s: float) -> None:
        self._longest_s = longest_s
        self._ceiling_s = 1.0
        self._spread = False

    def next_s(self) -> float:
        """How long to wait before the next attempt."""
        ceiling_s = min(self._ceiling_s, self._longest_s)
        wait_s = random.uniform(ceiling_s * _STEADY if self._spread else 0, ceiling_s)  # noqa: S311 - no secret in it
        self._spread = ceiling_s == self._longest_s > 1
        self._ceiling_s = ceiling_s * 2
        return wait_s

    def reset(self) -> None:
        """It works again."""
        self._ceiling_s = 1.0
        self._spread = False
