"""Fast cycles with the real outbox in a process of its own: kill -9, crash points, power cuts, syncs that fail.

A round is ten processes in one folder, one after the other, each ended by force; then one more delivers all that is
left, and the judge compares what arrived with what had been said to be safe.
"""

import asyncio
import os
import random
import shutil
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.judge.disk import Disk, Leftovers, build, read_notes, said
from tests.judge.shims import Mood, recorded
from tests.judge.transcript import Transcript
from tests.judge.verdict import Verdict, judge

CYCLES_A_ROUND = 10
_ROOT = Path(__file__).parents[2]
_DRAINED_WITHIN_S = 60.0
_SAMPLES_A_CYCLE = 1_000_000
_CRASHED = 137
_OF_A_NEW_FILE = ("first-creation", "in-migration")
_SELDOM = (*_OF_A_NEW_FILE, "in-checkpoint")
_CRASHED_WITHIN_S = 8.0


@dataclass(slots=True)
class Trial:
    """One folder and what was heard of it."""

    folder: Path
    chance: random.Random
    transcript: Transcript = field(default_factory=Transcript)
    cycle: int = 0
    crashes: int = 0
    refuses: bool = False

    @property
    def data(self) -> Path:
        """What the process calls its data folder."""
        return self.folder / "data"

    @property
    def _always(self) -> tuple[str, ...]:
        return ("--refuse",) if self.refuses else ()

    def command(self, *more: str) -> list[str]:
        """The next scribe's."""
        sample = self.cycle * _SAMPLES_A_CYCLE
        seed = self.chance.randrange(1 << 32)
        return [
            sys.executable,
            "-m",
            "tests.judge.scribe",
            str(self.data),
            str(sample),
            str(seed),
            *more,
            *self._always,
        ]


Cycle = Callable[[Trial], Awaitable[None]]


async def round_of(folder: Path, seed: int, cycle: Cycle, cycles: int = CYCLES_A_ROUND) -> Verdict:
    """Cycles in one folder, then the rest delivered, and the verdict. Raises `AssertionError` if it can not be."""
    return await carry_out(Trial(folder, random.Random(seed)), cycle, cycles)


async def carry_out(trial: Trial, cycle: Cycle, cycles: int) -> Verdict:
    """As `round_of`, for who wants to know more of the trial."""
    trial.data.mkdir(parents=True)
    for trial.cycle in range(cycles):
        await cycle(trial)
    await _run(trial, trial.command("--drain"), {}, until_end_s=_DRAINED_WITHIN_S)
    assert trial.transcript.drained, "what was left could not be delivered"
    return judge(trial.transcript.record())


async def kill_9(trial: Trial) -> None:
    """SIGKILL at a random moment."""
    await _run(trial, trial.command(), {}, kill_after_s=trial.chance.uniform(0.0, 0.4))


def crash_at(point: str) -> Cycle:
    """The process ends itself at one of its first passings of a named point, or is killed where it has none."""
    limited = ("--limit-bytes", "1000000", "--hoard") if point == "in-purge" else ()

    async def cycle(trial: Trial) -> None:
        if point in _OF_A_NEW_FILE:
            shutil.rmtree(trial.data / "outbox", ignore_errors=True)
        trial.refuses = point == "in-dead-letter-move"
        passing = 1 if point in _SELDOM else trial.chance.randint(1, 5)
        environment = {"CRASHPOINT": f"{point}:{passing}"}
        trial.crashes += (
            await _run(trial, trial.command(*limited), environment, kill_after_s=_CRASHED_WITHIN_S) == _CRASHED
        )

    return cycle


async def failing_sync(trial: Trial) -> None:
    """One sync fails with EIO, early in the life of the process; killed at a random moment after."""
    mood = Mood(trial.folder / "mood")
    mood.set(f"eio {trial.chance.randint(1, 60)}")
    await _run(trial, trial.command(), mood.environment, kill_after_s=trial.chance.uniform(0.2, 0.6))


async def over_the_limit(trial: Trial) -> None:
    """More than the outbox may keep, so that the oldest has to go, and then SIGKILL."""
    command = trial.command("--limit-bytes", "1000000", "--hoard")
    await _run(trial, command, {}, kill_after_s=trial.chance.uniform(0.5, 1.5))


def power_cut(*, careless: bool = False) -> Cycle:
    """The power fails at a random moment of what the process did: the next one finds what a disk would hold.

    `careless`: with ``synchronous = NORMAL``, the control that must lose.
    """

    async def cycle(trial: Trial) -> None:
        disk, log = Disk(trial.data), trial.folder / "notes"
        log.unlink(missing_ok=True)
        command = trial.command(*(["--careless"] if careless else []))
        heard_until = trial.chance.uniform(0.05, 0.4)
        await _run(trial, command, recorded(trial.data, log), kill_after_s=heard_until, listen=False)
        notes = read_notes(log)
        notes = notes[: trial.chance.randint(0, len(notes))]
        disk.happen(notes)
        trial.transcript.hear(said(notes))
        shutil.rmtree(trial.data)
        build(disk.after_cut(trial.chance.choice(list(Leftovers)), trial.cycle), trial.data)

    return cycle


async def _run(
    trial: Trial,
    command: list[str],
    environment: Mapping[str, str],
    *,
    kill_after_s: float | None = None,
    until_end_s: float | None = None,
    listen: bool = True,
) -> int:
    """Run a scribe until it is killed, so long after its first word, or ends; hear what it said; its exit status."""
    with (trial.folder / "scribe.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
            env={**os.environ, "PYTHONPATH": str(_ROOT), **environment},
            limit=1 << 20,
        )
    assert process.stdout is not None
    first = await process.stdout.readline()
    rest = asyncio.create_task(process.stdout.read())
    await asyncio.wait([rest], timeout=kill_after_s if until_end_s is None else until_end_s)
    if not rest.done():
        process.send_signal(signal.SIGKILL)
    heard = first + await rest
    status = await process.wait()
    assert first or environment.get("CRASHPOINT"), f"the scribe ended at once ({status}), see {log.name}"
    if listen:
        trial.transcript.hear(heard.decode().splitlines())
    return status
