"""`edge-collector check --server URL --edge ID…`: the real documents of many edges, tried from a desk."""

import asyncio
import os
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress

from collector.cli.check import EXIT_NO_DOCUMENT, EXIT_REFUSED_PARTS, headline, planned, show_plan
from collector.config.plan import Plan
from collector.settings.environment import gather
from fleet_client.client import FleetClient
from fleet_client.errors import FleetError, FleetUnreachable
from fleet_client.fetched import Fetched
from fleet_client.topics import other_spelling, valid_edge_id

AT_ONCE = 8
PROGRESS_AFTER_S = 1.0


@dataclass(frozen=True, slots=True)
class Desk:
    """Where the documents are asked for, and as whom. Without a `token_file` the token is `EDGE_API_TOKEN`."""

    server: str
    token_file: Path | None
    ca_file: Path | None
    env_file: Path | None
    plc_ethernet: str

    def token(self) -> str | None:
        """The token, None where there is none. Raises `OSError`."""
        if self.token_file is not None:
            return self.token_file.read_text("utf-8-sig").strip()
        return gather(self.env_file, os.environ).values.get("EDGE_API_TOKEN")

    def client(self, edge_id: str, token: str | None) -> FleetClient:
        """Who asks for one edge. Raises `ValueError` for a URL or a token that can not be used."""
        return FleetClient(self.server, edge_id, token=token, ca_file=self.ca_file)


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of one edge's document: a plan, or why there is none."""

    edge_id: str
    plan: Plan | None
    reason: str = ""


def check_edges(desk: Desk, edges: Iterable[str], console: Console, errors: Console, *, details: bool) -> int:
    """A line an edge, in their order; returns the exit status: 1 for any refusal, 2 if no document could be had."""
    wanted = list(dict.fromkeys(edge for each in edges for edge in each.split(",") if edge))
    wrong = [edge for edge in wanted if not valid_edge_id(edge)]
    if wrong or not wanted:
        errors.print(f"[red]error:[/] expected edge ids after --edge, found {escape(', '.join(wrong) or 'none')}")
        return EXIT_NO_DOCUMENT
    try:
        token = desk.token()
        desk.client(wanted[0], token)
        tried = asyncio.run(_try_all(desk, token, wanted, console, errors, details=details))
    except (OSError, ValueError) as error:
        errors.print(f"[red]error:[/] {escape(str(error))}")
        return EXIT_NO_DOCUMENT
    had = [each.plan for each in tried if each.plan is not None]
    good = sum(not plan.problems for plan in had)
    refused, none = len(had) - good, len(tried) - len(had)
    console.print(f"{len(tried)} edges: {good} good, {refused} with refused parts, {none} without a configuration")
    if not had:
        return EXIT_NO_DOCUMENT
    return 0 if good == len(tried) else EXIT_REFUSED_PARTS


async def _try_all(
    desk: Desk, token: str | None, edges: Sequence[str], console: Console, errors: Console, *, details: bool
) -> list[Tried]:
    limit = asyncio.Semaphore(AT_ONCE)
    loop = asyncio.get_running_loop()
    with ExitStack() as shown:
        progress = Progress(console=errors, transient=True)
        done = progress.add_task("asking", total=len(edges))
        timer = loop.call_later(PROGRESS_AFTER_S, shown.enter_context, progress)

        async def attempt(edge_id: str) -> Tried:
            async with limit:
                tried = await _try_one(desk, token, edge_id)
            progress.advance(done)
            return tried

        async with asyncio.TaskGroup() as tasks:
            asked = [tasks.create_task(attempt(edge)) for edge in edges]
            tried = [_shown(await each, console, details=details) for each in asked]
        timer.cancel()
        return tried


async def _try_one(desk: Desk, token: str | None, edge_id: str) -> Tried:
    try:
        async with desk.client(edge_id, token) as client:
            answer = await client.fetch(None)
        if not isinstance(answer, Fetched):
            raise FleetUnreachable("the server sent no document")
        spellings = [edge for edge in (edge_id, other_spelling(edge_id)) if edge]
        return Tried(edge_id, await asyncio.to_thread(planned, answer.body, desk.plc_ethernet, spellings))
    except FleetError as error:
        return Tried(edge_id, None, str(error))


def _shown(tried: Tried, console: Console, *, details: bool) -> Tried:
    name = escape(tried.edge_id)
    if tried.plan is None:
        console.print(f"[red]none[/]     {name}: {escape(tried.reason)}")
    elif tried.plan.problems:
        console.print(f"[yellow]refused[/]  {name}: {headline(tried.plan)}")
    else:
        console.print(f"[green]good[/]     {name}: {headline(tried.plan)}")
    if details and tried.plan is not None:
        show_plan(tried.plan, console)
    return tried
