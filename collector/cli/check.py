"""`edge-collector check FILE`: what would be polled, in how many requests, what was read leniently, what is refused."""

from collections.abc import Collection, Mapping
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from collector.config.file import read_document_file
from collector.config.plan import DevicePlan, Plan
from collector.config.planner import PlanOptions, plan_document
from fleet_client.errors import NotAConfig
from fleet_client.reading import read_document
from protocols.base import Request

EXIT_REFUSED_PARTS = 1
EXIT_NO_DOCUMENT = 2
SUBJECTS_SHOWN = 3


def check_file(file: Path, plc_ethernet: str, variables: Mapping[str, str], console: Console, errors: Console) -> int:
    """Show the document as a plan; returns the exit status: 0 all is used, 1 parts are refused, 2 it is no config.

    `variables` are those that the document may ask for.
    """
    try:
        body = read_document_file(file, variables)
        plan = planned(body, plc_ethernet)
    except OSError as error:
        errors.print(f"[red]{escape(str(file))} can not be read:[/] {escape(error.strerror or str(error))}")
        return EXIT_NO_DOCUMENT
    except NotAConfig as error:
        errors.print(f"[red]{escape(str(file))} is no configuration:[/] {escape(str(error))}")
        return EXIT_NO_DOCUMENT
    show_plan(plan, console)
    return EXIT_REFUSED_PARTS if plan.problems else 0


def planned(body: bytes, plc_ethernet: str, edge_ids: Collection[str] | None = None) -> Plan:
    """What a collector would make of the body. Raises `NotAConfig`."""
    read = read_document(body, expected_edge_ids=edge_ids)
    return plan_document(read, PlanOptions(edge_id=read.document.edge_id or "", plc_ethernet=plc_ethernet))


def show_plan(plan: Plan, console: Console) -> None:
    """Print a plan for a person."""
    console.print(headline(plan))
    for device in plan.devices:
        _show_device(device, console)
    for idle in plan.idle:
        why = "switched off by the document" if idle.reason is None else f"refused: {idle.reason}"
        console.print(f"  not polled: {escape(idle.name)} (id {escape(idle.id)}), {escape(why)}")
    for remark in plan.remarks:
        console.print(f"[yellow]read as[/]  {escape(remark.path)}: {escape(remark.message)}")
    for problem in plan.problems:
        console.print(f"[red]refused[/]  {escape(problem.path)} ({problem.code}): {escape(problem.message)}")


def headline(plan: Plan) -> str:
    """A plan in a line, with its markup."""
    refused = f", {_count(len(plan.problems), 'refused part')}" if plan.problems else ""
    version = f" version {plan.version}" if plan.version else ""
    return (
        f"[bold]{escape(plan.edge_name or plan.edge_id or 'configuration')}[/]{escape(version)}: "
        f"{_count(len(plan.devices), 'device')}, {_count(plan.tag_count, 'tag')}{refused}"
    )


def _show_device(device: DevicePlan, console: Console) -> None:
    where = f"{device.protocol}  {device.connection.where}"
    console.print(f"  [bold]{escape(device.name)}[/] (id {escape(device.id)})  {escape(where)}")
    for group in device.groups:
        tags, requests = _count(len(group.tags), "tag"), _count(len(group.requests), "request")
        subjects = escape(_subjects(group.requests))
        console.print(f"    {tags} every {group.interval_ms} ms in {requests}: [dim]{subjects}[/]")
    if device.computed:
        console.print(f"    {_count(len(device.computed), 'tag')} computed from these")


def _subjects(requests: tuple[Request, ...]) -> str:
    subjects = [request.subject for request in requests[:SUBJECTS_SHOWN]]
    return "; ".join(subjects) + ("; ..." if len(requests) > SUBJECTS_SHOWN else "")


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
