"""`edge-collector check FILE`: what would be polled, in how many requests, what was read leniently, what is refused."""

from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from collector.config.plan import DevicePlan, Plan
from collector.config.planner import PlanOptions, plan_document
from fleet_client.errors import NotAConfig
from fleet_client.reading import read_document
from protocols.base import Request

EXIT_REFUSED_PARTS = 1
EXIT_NO_DOCUMENT = 2


def check_file(file: Path, plc_ethernet: str, console: Console, errors: Console) -> int:
    """Show the document as a plan; returns the exit status: 0 all is used, 1 parts are refused, 2 it is no config."""
    try:
        body = file.read_bytes()
    except OSError as error:
        errors.print(f"[red]{escape(str(file))} can not be read:[/] {escape(error.strerror or str(error))}")
        return EXIT_NO_DOCUMENT
    try:
        read = read_document(body, expected_edge_ids=None)
    except NotAConfig as error:
        errors.print(f"[red]{escape(str(file))} is no configuration:[/] {escape(str(error))}")
        return EXIT_NO_DOCUMENT
    plan = plan_document(read, PlanOptions(edge_id=read.document.edge_id or "", plc_ethernet=plc_ethernet))
    show_plan(plan, console)
    return EXIT_REFUSED_PARTS if plan.problems else 0


def show_plan(plan: Plan, console: Console) -> None:
    """Print a plan for a person."""
    console.print(_headline(plan))
    if plan.devices:
        console.print(_device_table(plan.devices))
    for idle in plan.idle:
        why = "switched off by the document" if idle.reason is None else f"refused: {idle.reason}"
        console.print(f"  not polled: {escape(idle.name)} (id {escape(idle.id)}), {escape(why)}")
    for remark in plan.remarks:
        console.print(f"[yellow]read as[/]  {escape(remark.path)}: {escape(remark.message)}")
    for problem in plan.problems:
        console.print(f"[red]refused[/]  {escape(problem.path)} ({problem.code}): {escape(problem.message)}")


def _headline(plan: Plan) -> str:
    refused = f", {len(plan.problems)} refused parts" if plan.problems else ""
    version = f" version {plan.version}" if plan.version else ""
    return (
        f"[bold]{escape(plan.edge_name or plan.edge_id or 'configuration')}[/]{escape(version)}: "
        f"{len(plan.devices)} devices, {plan.tag_count} tags{refused}"
    )


def _device_table(devices: tuple[DevicePlan, ...]) -> Table:
    table = Table("device", "protocol", "where", "tags", "every", "requests a cycle", box=None, header_style="bold")
    for device in devices:
        for position, group in enumerate(device.groups):
            first = position == 0
            table.add_row(
                escape(device.name) if first else "",
                device.protocol if first else "",
                escape(device.connection.where) if first else "",
                str(len(group.tags)),
                f"{group.interval_ms} ms",
                f"{len(group.requests)}: {escape(_subjects(group.requests))}",
            )
    return table


def _subjects(requests: tuple[Request, ...]) -> str:
    subjects = [request.subject for request in requests[:2]]
    return "; ".join(subjects) + ("; ..." if len(requests) > 2 else "")
