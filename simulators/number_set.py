"""A set of whole numbers that costs memory a hole, not a number."""

from bisect import bisect_left, bisect_right


class NumberSet:
    """Numbers as closed ranges in ascending order; adding in order costs the same at any size."""

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []

    def __len__(self) -> int:
        return sum(end - start + 1 for start, end in self.ranges())

    def __contains__(self, number: int) -> bool:
        place = bisect_right(self._starts, number) - 1
        return place >= 0 and number <= self._ends[place]

    @property
    def first(self) -> int | None:
        """The lowest number."""
        return self._starts[0] if self._starts else None

    @property
    def last(self) -> int | None:
        """The highest number."""
        return self._ends[-1] if self._ends else None

    def ranges(self) -> list[tuple[int, int]]:
        """``[(1, 4), (6, 9)]``: what is in it."""
        return list(zip(self._starts, self._ends, strict=True))

    def add(self, number: int) -> bool:
        """Put a number in; False when it was there."""
        if number in self:
            return False
        self.add_range(number, number)
        return True

    def add_range(self, first: int, last: int) -> None:
        """Put `first` to `last` in, both included."""
        here, beyond = bisect_left(self._ends, first - 1), bisect_right(self._starts, last + 1)
        if here < beyond:
            first, last = min(first, self._starts[here]), max(last, self._ends[beyond - 1])
        self._starts[here:beyond] = [first]
        self._ends[here:beyond] = [last]

    def holes(self, first: int, last: int) -> list[tuple[int, int]]:
        """What of `first` to `last` is missing, as closed ranges."""
        holes: list[tuple[int, int]] = []
        at = first
        for start, end in self.ranges():
            if start > last:
                break
            if start > at:
                holes.append((at, start - 1))
            at = max(at, end + 1)
        if at <= last:
            holes.append((at, last))
        return holes
