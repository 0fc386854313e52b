"""What is in a bundle. Whatever can not be had says why, and costs nothing else."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path

import orjson

from collector.cli.buffer import stats_of
from collector.cli.doctor import findings
from collector.cli.support.archive import file_name
from collector.cli.support.frames import frames_of, kept_plan
from collector.cli.support.journal import journal_of
from collector.cli.support.running import ask_running
from collector.clock import Clock
from collector.commands.about import about
from collector.commands.redaction import secrets_of, without_secrets
from collector.settings import Settings
from collector.web.token import FILE as TOKEN_FILE
from fleet_client.copies import DocumentStore
from fleet_client.errors import FleetError

LOG_BYTES: Mapping[str, int] = {
    "edge.log.1": 1 << 20,
    "edge.log": 2 << 20,
    "error.log.1": 1 << 19,
    "error.log": 1 << 20,
}


async def contents(settings: Settings, device: str | None, clock: Clock) -> dict[str, str]:
    """The texts by their names in the bundle. The doctor is asked last: it takes its time."""
    texts = {"about.json": _json(about(settings.edge_id, clock)), "settings.txt": "\n".join(_settings(settings))}
    texts["document.json"] = await _or_why(lambda: asyncio.to_thread(_document, settings))
    texts["buffer.json"] = await _or_why(lambda: stats_of(settings.data_dir / "outbox"))
    texts |= {f"running/{name}": text async for name, text in ask_running(settings)}
    texts |= {f"logs/{name}": text for name, text in await asyncio.to_thread(lambda: list(_logs(settings)))}
    if device is not None:
        texts |= await _frames(settings, device, clock)
    texts["doctor.txt"] = await _or_why(lambda: _doctor(settings, clock))
    return texts


def secrets_known(settings: Settings) -> Iterator[str]:
    """All that must be nowhere in the bundle: of the settings, the page's own token, and those of the document."""
    yield from settings.secrets
    token = _read(settings.data_dir / TOKEN_FILE, 1 << 10).strip()
    if token:
        yield token
    kept = DocumentStore(settings.data_dir / "config").load()
    if kept is not None:
        yield from secrets_of(kept.body)


async def _or_why(tell: Callable[[], Awaitable[str]]) -> str:
    try:
        return await tell()
    except Exception as error:  # noqa: BLE001 - a part that fails is when the others are needed most
        return f"not available: {type(error).__name__}: {error}\n"


def _settings(settings: Settings) -> Iterator[str]:
    yield f"# settings file: {settings.env_file or '.env where the bundle was asked for, if there is one'}"
    for name, value in settings.shown().items():
        yield f"{name}={'' if value is None else value}"
    yield ""
    for warning in settings.warnings:
        yield f"# {warning}"


def _document(settings: Settings) -> str:
    kept = DocumentStore(settings.data_dir / "config").load()
    return "there is none yet\n" if kept is None else _json(without_secrets(kept.body))


def _logs(settings: Settings) -> Iterator[tuple[str, str]]:
    if settings.log_dir is None:
        journal = journal_of(settings)
        missing = "LOG_DIR is not set: add what journalctl -u edge-collector or docker logs say\n"
        yield ("journal.log", journal) if journal else ("none.txt", missing)
        return
    for name, most in LOG_BYTES.items():
        if text := _read(settings.log_dir / name, most):
            yield name, text


def _read(path: Path, most: int) -> str:
    """The end of a file, from the beginning of a line; nothing where it can not be read."""
    try:
        with path.open("rb") as file:
            left_out = max(path.stat().st_size - most, 0)
            file.seek(left_out)
            text = file.read(most).decode("utf-8", "replace")
    except OSError:
        return ""
    return text.partition("\n")[2] if left_out else text


async def _frames(settings: Settings, device: str, clock: Clock) -> dict[str, str]:
    try:
        plan = await asyncio.to_thread(kept_plan, settings)
    except FleetError as error:
        return {"frames/none.txt": f"the last good document can not be used: {error}\n"}
    found = next((each for each in plan.devices if device in (each.id, each.name)), None) if plan else None
    if found is None:
        return {"frames/none.txt": f"no device {device!r} in the last good document\n"}
    return {f"frames/{file_name(found.name)}.txt": await _or_why(lambda: frames_of(found, settings, clock))}


async def _doctor(settings: Settings, clock: Clock) -> str:
    return "".join([f"{finding.plain}\n" async for finding in findings(settings, clock)])


def _json(value: object) -> str:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2, default=str).decode() + "\n"
