"""Looks at the history: how far back it really goes, and what it writes a day."""

import asyncio
import http.client
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson

from collector.cli.doctor.finding import Finding, bad, good, note
from collector.cli.doctor.storage import belongs_to_us
from collector.clock import Clock
from collector.settings import Settings
from collector.storage.errors import DataFolderInUse, StorageFailed
from collector.storage.history_depth import depth_of_stopped
from collector.web.hosts import is_wildcard
from collector.web.token import Token

_SUBJECT = "history"
_ANSWER_S = 5.0
_HOUR_MS = 3_600_000
_TIERS = {"raw": "single values", "windows": "windows", "hours": "hours", "days": "days"}
_WHILE_RUNNING = "what it writes a day is known while the collector runs"
_AFTER_A_WHILE = "what it writes a day is known ten minutes after the start"


class NotTold(Exception):
    """The running collector could not be asked; says why."""


async def look_at_history(settings: Settings, clock: Clock) -> Finding:
    """Of a stopped collector its file is read, a running one is asked, for nobody else may open what it has open."""
    path = settings.data_dir / "history" / "history.db"
    if not settings.history_max_mb:
        return good(_SUBJECT, "off")
    if not path.exists():
        return good(_SUBJECT, "nothing yet")
    if not belongs_to_us(settings.data_dir):
        return note(_SUBJECT, f"{settings.data_dir} belongs to another user", "run this as the collector's user")
    try:
        since_ms, used = await asyncio.to_thread(depth_of_stopped, path, settings.data_dir / "outbox")
    except DataFolderInUse:
        return await _of_running(settings, clock)
    except StorageFailed as error:
        return bad(_SUBJECT, str(error), "a damaged file is set aside at the next start, and a new one begun")
    return _found(settings, clock, since_ms, used, _WHILE_RUNNING)


async def _of_running(settings: Settings, clock: Clock) -> Finding:
    if not settings.http_port:
        return note(_SUBJECT, "a running collector has it open, and has no page to be asked", "HTTP_PORT=8090")
    try:
        told = await asyncio.to_thread(_ask, settings)
    except NotTold as error:
        return note(_SUBJECT, f"a running collector has it open, and does not tell: {error}", "see its log")
    since = {tier: told[f"{tier}_since"] for tier in _TIERS}
    since_ms = {tier: round(datetime.fromisoformat(iso).timestamp() * 1000) for tier, iso in since.items() if iso}
    a_day = told["written_per_day_bytes"]
    written = _AFTER_A_WHILE if a_day is None else f"{a_day / 1e9:.2g} GB written a day"
    return _found(settings, clock, since_ms, told["bytes"], written)


def _ask(settings: Settings) -> Mapping[str, Any]:
    secret = settings.http_token
    token = Token(secret.get_secret_value() if secret else None, settings.data_dir).known()
    host = "127.0.0.1" if is_wildcard(settings.http_host) else settings.http_host.strip("[]")
    connection = http.client.HTTPConnection(host, settings.http_port, timeout=_ANSWER_S)
    try:
        connection.request("GET", "/api/v1/history", headers={"Authorization": f"Bearer {token}"} if token else {})
        answer = connection.getresponse()
        told: Mapping[str, Any] = orjson.loads(answer.read())
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise NotTold(str(error)) from error
    finally:
        connection.close()
    if answer.status != http.client.OK:
        raise NotTold(str(told.get("detail")))
    return told


def _found(settings: Settings, clock: Clock, since_ms: Mapping[str, int], used: int, written: str) -> Finding:
    ages_ms = {tier: clock.wall_ms() - since for tier, since in since_ms.items()}
    depths = [f"{name} {_lasting(ages_ms[tier])}" for tier, name in _TIERS.items() if tier in ages_ms]
    reach = f"reaches back: {', '.join(depths)}" if depths else "holds nothing yet"
    said = f"{reach}; {used / (1 << 20):,.0f} of {settings.history_max_mb:,} MB; {written}"
    wanted_ms = min(settings.history_raw_hours * _HOUR_MS, max(ages_ms.values(), default=0))
    if settings.history_raw_hours and ages_ms.get("raw", 0) < wanted_ms - _HOUR_MS:
        asked = f"HISTORY_RAW_HOURS={settings.history_raw_hours} asks for more single values"
        return note(_SUBJECT, said, f"{asked}: raise HISTORY_MAX_MB, or free the disk of which it takes a quarter")
    return good(_SUBJECT, said)


def _lasting(ms: int) -> str:
    hours = max(0, ms) / _HOUR_MS
    return f"{hours * 60:.0f} min" if hours < 2 else f"{hours:.0f} h" if hours < 72 else f"{hours / 24:.0f} d"
