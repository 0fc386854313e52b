"""The machine's network as its first process has it. A container has a network of its own, and shows only that one."""

from collections.abc import Mapping
from pathlib import Path

_RECEIVED = ("bytes_recv", "packets_recv", "errors_in", "dropped_in")
_SENT = ("bytes_sent", "packets_sent", "errors_out", "dropped_out")
_SENT_FROM = 8
"""The column of ``/proc/net/dev`` in which the figures of what was sent begin."""

_TCP_STATES = (
    "established", "syn_sent", "syn_recv", "fin_wait1", "fin_wait2", "time_wait",
    "close", "close_wait", "last_ack", "listen", "closing",
)  # fmt: skip
"""As the kernel numbers them, from 1."""


def interface_counters(proc: Path) -> Mapping[tuple[str, str], int]:
    """What each interface has carried, by interface and figure. Raises `OSError`."""
    counters: dict[tuple[str, str], int] = {}
    for line in _rows(proc / "1/net/dev", headings=2):
        name, _, columns = line.rpartition(":")
        numbers = [int(column) for column in columns.split()]
        named = [*zip(_RECEIVED, numbers, strict=False), *zip(_SENT, numbers[_SENT_FROM:], strict=False)]
        counters |= {(name.strip(), figure): number for figure, number in named}
    return counters


def tcp_states(proc: Path) -> list[str]:
    """The state of each TCP connection, in lower case. Raises `OSError`."""
    rows = _rows(proc / "1/net/tcp", headings=1)
    if (proc / "1/net/tcp6").exists():  # a kernel may have been built without
        rows += _rows(proc / "1/net/tcp6", headings=1)
    numbers = [int(row.split()[3], 16) for row in rows]
    return [_TCP_STATES[number - 1] for number in numbers if 0 < number <= len(_TCP_STATES)]


def _rows(table: Path, headings: int) -> list[str]:
    return table.read_text(encoding="ascii").splitlines()[headings:]
