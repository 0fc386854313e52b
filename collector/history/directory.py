"""The numbers that stand for tags, and for tags that lie on one sheet, in the rows of the history."""

from collections.abc import Sequence


class Directory:
    """Begins with what the file has; what was added since then waits in `new_tags` and `new_layouts`."""

    def __init__(
        self, tags: Sequence[tuple[int, str, str]] = (), layouts: Sequence[tuple[int, Sequence[int]]] = ()
    ) -> None:
        self.new_tags: list[tuple[int, str, str]] = []
        self.new_layouts: list[tuple[int, Sequence[int]]] = []
        self._tags = {(device, name): tag for tag, device, name in tags}
        self._layouts: dict[tuple[int, ...], int] = {}
        self._members: dict[int, tuple[int, ...]] = {}
        self._places: dict[int, list[tuple[int, int]]] = {}
        for layout, members in layouts:
            self._enter(layout, tuple(members))

    def layout(self, device_id: str, names: Sequence[str]) -> int:
        """The number of a layout; known from now on."""
        members = tuple(self._tag(device_id, name) for name in names)
        known = self._layouts.get(members)
        if known is None:
            known = max(self._members, default=0) + 1
            self._enter(known, members)
            self.new_layouts.append((known, members))
        return known

    def members(self, layout: int) -> tuple[int, ...]:
        """The tags of a layout, in its order; none of one that is not known."""
        return self._members.get(layout, ())

    def tag(self, device_id: str, name: str) -> int | None:
        """The number of a tag that has been recorded."""
        return self._tags.get((device_id, name))

    def places(self, tag: int) -> list[tuple[int, int]]:
        """The layouts that a tag is in, and its position in each."""
        return self._places.get(tag, [])

    def saved(self) -> None:
        """What was new is in the file."""
        self.new_tags, self.new_layouts = [], []

    def unsaved(self) -> None:
        """The file is another one, and knows nothing."""
        self.new_tags = [(tag, device, name) for (device, name), tag in self._tags.items()]
        self.new_layouts = list(self._members.items())

    def _tag(self, device_id: str, name: str) -> int:
        known = self._tags.get((device_id, name))
        if known is None:
            known = self._tags[device_id, name] = len(self._tags) + 1
            self.new_tags.append((known, device_id, name))
        return known

    def _enter(self, layout: int, members: tuple[int, ...]) -> None:
        self._layouts[members] = layout
        self._members[layout] = members
        for position, tag in enumerate(members):
            self._places.setdefault(tag, []).append((layout, position))
