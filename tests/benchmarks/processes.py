"""Processes beside the collector: started, asked what they say first and what they cost, and ended."""

import os
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
MB = 1e6
_END_WITHIN_S = 5.0


@contextmanager
def running(arguments: Sequence[str | Path]) -> Iterator[subprocess.Popen[str]]:
    """A process in the project's folder whose standard output can be read; ended with the block."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        arguments, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        _end(process)
        if process.stdout is not None:
            process.stdout.close()


@contextmanager
def foreign(arguments: Sequence[str], environment: Mapping[str, str], folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A program that is not ours, in `folder`, where its words go to ``said.txt``; ended with the block."""
    quiet = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    with (folder / "said.txt").open("ab") as said:
        process = subprocess.Popen(
            arguments,
            cwd=folder,
            env=quiet | dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            text=True,
        )
    try:
        yield process
    finally:
        _end(process)


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(_END_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def first_line(process: subprocess.Popen[str]) -> str:
    """What it says first. Raises `RuntimeError` if it ends without a word."""
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise RuntimeError(f"{process.args!r} ended with status {process.wait()} and said nothing")
    return line.strip()


def cpu_s(pid: int) -> float:
    """Processor time of a process so far, all threads, to the nanosecond.

    /proc counts in ticks of 10 ms, a fifth of what the collector uses in ten seconds. The clock's number is
    that of clock_getcpuclockid(3).
    """
    return time.clock_gettime((~pid << 3) | 2)


def peak_rss_mb(pid: int) -> float:
    """The most resident memory so far, in megabytes of 10**6 bytes."""
    return _memory_mb(pid, "VmHWM:")


def rss_mb(pid: int) -> float:
    """Resident memory now, in megabytes of 10**6 bytes."""
    return _memory_mb(pid, "VmRSS:")


def _memory_mb(pid: int, name: str) -> float:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace").splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * 1024 / MB
    raise RuntimeError(f"process {pid} tells nothing of {name}")
