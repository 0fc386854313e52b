"""The wall clock of a real process, set by the test."""

from pathlib import Path

from tests.doubles.preloaded import compiled


class WallClock:
    """Give `environment` to the process; `set_by` moves its wall clock while it runs, the monotonic one stays."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "moved_by"
        self._library = compiled("wall_clock.c", folder)
        self.set_by(0)

    @property
    def environment(self) -> dict[str, str]:
        """The variables that put a process under this clock."""
        return {"LD_PRELOAD": str(self._library), "WALL_CLOCK_FILE": str(self._file)}

    def set_by(self, seconds: int) -> None:
        """How far the process's wall clock is from the machine's."""
        draft = self._file.with_suffix(".new")
        draft.write_text(str(seconds), encoding="ascii")
        draft.replace(self._file)
