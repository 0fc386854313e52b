"""`edge-collector watch`: what the edges publish, a line a message, and what is missing or repeated."""

import asyncio
from functools import partial

from rich.console import Console
from rich.text import Text

from collector.cli.foreground import passed, until_signal
from collector.cli.message_line import MessageLines
from collector.settings.reader import UnfitError
from collector.settings.urls import BROKER_URL
from fleet_client.topics import valid_edge_id
from simulators.ledger import Account, Ledger
from simulators.mqtt import MqttListener
from simulators.stamps import stamp

EXIT_USAGE = 2
FORCED_EXIT_S = 5.0
_LOOK_EVERY_S = 0.5


def watch_topics(broker: str, edge: str) -> int:
    """Print until a signal, then sum up; returns the exit status (2: the URL or the edge id can not be used).

    `edge` is an edge id, or ``+`` for all. A broker that is away is waited for.
    """
    errors = Console(stderr=True, highlight=False, soft_wrap=True)
    if edge != "+" and not valid_edge_id(edge):
        errors.print(Text(f"error: {edge!r} is no edge id; expected 1 to 64 of A-Z a-z 0-9 . _ -, or + for all", "red"))
        return EXIT_USAGE
    try:
        where = str(BROKER_URL.read(broker))
    except UnfitError as error:
        errors.print(Text(f"error: --broker is not understood: {error}; expected {BROKER_URL.expects}", "red"))
        return EXIT_USAGE
    until_signal(partial(_watch, broker, edge, where), forced_exit_s=FORCED_EXIT_S)
    return 0


async def _watch(broker: str, edge: str, where: str, stop: asyncio.Event) -> None:
    console, ledger = Console(highlight=False, soft_wrap=True), Ledger()
    lines = MessageLines(ledger)

    def hear(topic: str, payload: bytes, received_at_ms: int) -> None:
        console.print(lines.line(topic, payload, received_at_ms))

    listener = MqttListener(broker, hear, topics=(f"vexplor/devices/{edge}/+",))
    async with listener:
        await _tell_connection(listener, where, console, stop)
    console.print(Text(summary(ledger, lines.messages), style="bold"))


async def _tell_connection(listener: MqttListener, where: str, console: Console, stop: asyncio.Event) -> None:
    """Say when the connection comes and goes, until `stop` is set."""
    told: bool | None = None
    while not stop.is_set():
        if listener.connected is not told:
            told = listener.connected
            words = f"listening at {where}" if told else f"no connection to {where}: {listener.error}; trying again"
            console.print(Text(f"{stamp()}  {words}", "green" if told else "yellow"))
        await passed(stop, _LOOK_EVERY_S)


def summary(ledger: Ledger, messages: int) -> str:
    """Everything heard, in one line. `messages` counts all topics, the rest is about data."""
    accounts = list(ledger.accounts.values())
    return (
        f"{messages} messages; data: {ledger.received} distinct, {ledger.duplicates} duplicates, "
        f"{ledger.missing} missing, {sum(account.late for account in accounts)} late, "
        f"{ledger.unnumbered} without a number, {ledger.not_understood} not understood; {_delays(accounts)}"
    )


def _delays(accounts: list[Account]) -> str:
    delays = sorted(delay for account in accounts for delay in account.delays_ms)
    if not delays:
        return "no delay measured"
    p50, p99 = (delays[min(len(delays) - 1, len(delays) * percent // 100)] for percent in (50, 99))
    return f"delay p50 {p50} ms, p99 {p99} ms"
