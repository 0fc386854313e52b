"""The command itself: from the options to the exit status."""

import sys
from functools import partial

from rich.console import Console

from collector.cli.demo.brokers import BrokerTrouble
from collector.cli.demo.course import plan_course
from collector.cli.demo.gateway import GatewayTrouble
from collector.cli.demo.plain import plain_lines, print_event
from collector.cli.demo.ring import Ring
from collector.cli.demo.show import View, perform
from collector.cli.demo.verdict import claims, print_verdict
from collector.cli.demo.view import live_view
from collector.cli.foreground import until_signal

EXIT_LOST = 1
EXIT_USAGE = 2
FORCED_EXIT_S = 30.0


def run_demo(duration: float | None, outage: float, *, embedded: bool = False) -> int:
    """Run for `duration` seconds or until a signal, the broker being away for `outage` seconds of it.

    `embedded`: use the embedded broker even where there is a Mosquitto. Returns the exit status: 0 every message
    arrived, 1 some did not or the demo could not start, 2 the duration is too short for the outage.
    """
    console, errors = Console(highlight=False), Console(stderr=True, highlight=False, soft_wrap=True)
    try:
        course = plan_course(duration, outage)
    except ValueError as error:
        errors.print(f"error: {error}", style="red", markup=False)
        return EXIT_USAGE

    def say(text: str) -> None:
        console.print(text, markup=False, soft_wrap=True)

    live = sys.stdout.isatty() and not console.is_dumb_terminal
    view: View = partial(live_view if live else plain_lines, console=console)
    ring = Ring(None if live else partial(print_event, console=console))
    ring.catch_logs()
    try:
        books = until_signal(
            lambda stop: perform(course, view, ring, say, stop, embedded=embedded), forced_exit_s=FORCED_EXIT_S
        )
    except (BrokerTrouble, GatewayTrouble, OSError) as trouble:
        errors.print(f"error: the demo can not run: {trouble}", style="red", markup=False)
        return EXIT_LOST
    print_verdict(books, console)
    return 0 if not books.lost and all(claim.kept for claim in claims(books)) else EXIT_LOST
