"""`edge-collector doctor`: tries all that the collector needs, and says what to do. Publishes and writes nothing."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from collector.cli.doctor.devices import look_at_devices
from collector.cli.doctor.finding import Finding, Mark, note
from collector.cli.doctor.history import look_at_history
from collector.cli.doctor.safety import look_at_certificate, look_at_exposure, look_at_owners, runs_as_another
from collector.cli.doctor.servers import ask_fleet, look_at_broker, look_at_clock, look_at_names
from collector.cli.doctor.sinks import look_at_sinks
from collector.cli.doctor.storage import belongs_to_us, look_at_data_folder
from collector.clock import Clock, SystemClock
from collector.settings import Settings, SettingsError, load_settings
from protocols.tcp import DEVICE_NETWORKS

EXIT_NOT_WELL = 1
EXIT_SETTINGS = 2
_COLOURS = {Mark.GOOD: "green", Mark.NOTE: "yellow", Mark.BAD: "red"}


def examine(env_file: Path | None, console: Console, errors: Console) -> int:
    """Print each finding as it is made; returns the exit status: 1 where something is not well, 2 for the settings."""
    try:
        settings = load_settings(env_file, os.environ)
    except SettingsError as error:
        for problem in error.problems:
            errors.print(f"[red]bad[/]   settings: {escape(str(problem))}")
        return EXIT_SETTINGS
    return asyncio.run(_print_all(settings, console))


async def findings(settings: Settings, clock: Clock) -> AsyncIterator[Finding]:
    """As it is found: settings, disk, history, names, Fleet server, clock, broker, sinks, safety, devices."""
    DEVICE_NETWORKS.set(settings.device_networks)
    for warning in settings.warnings:
        yield note("settings", str(warning))
    for finding in look_at_data_folder(settings):
        yield finding
    for found in (runs_as_another(settings.data_dir), look_at_owners(settings.data_dir)):
        if found is not None:
            yield found
    yield await look_at_history(settings, clock)
    async for finding in look_at_names(settings):
        yield finding
    answer = await ask_fleet(settings, clock)
    for finding in answer.findings:
        yield finding
    if settings.edge_config_source == "api":
        yield look_at_clock(answer.ahead_s)
    async for finding in look_at_broker(settings):
        yield finding
    async for finding in look_at_sinks(settings):
        yield finding
    if settings.mqtt_cert_file is not None and settings.mqtt_broker_url.tls:
        yield look_at_certificate(settings.mqtt_cert_file, clock)
    devices = answer.plan.devices if answer.plan is not None else ()
    for finding in look_at_exposure(settings, [device.connection for device in devices], clock):
        yield finding
    if answer.plan is not None:
        state_folder = settings.data_dir if belongs_to_us(settings.data_dir) else None
        async for finding in look_at_devices(answer.plan, state_folder):
            yield finding


async def _print_all(settings: Settings, console: Console) -> int:
    bad = 0
    with console.status("looking ..."):  # on a terminal only
        async for finding in findings(settings, SystemClock()):
            bad += finding.mark is Mark.BAD
            console.print(_line(finding), highlight=False)
    console.print(f"{bad} not well" if bad else "All is well.")
    return EXIT_NOT_WELL if bad else 0


def _line(finding: Finding) -> str:
    remedy = f" [bold]->[/] {escape(finding.remedy)}" if finding.remedy else ""
    mark = f"[{_COLOURS[finding.mark]}]{finding.mark:<5}[/]"
    return f"{mark} [bold]{escape(finding.subject)}[/]: {escape(finding.said)}{remedy}"
