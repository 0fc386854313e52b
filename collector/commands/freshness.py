"""Whether a command is of now: a late one is worse than a lost one."""

from collector.commands.outcome import CommandFailed
from fleet_client.commands import Command

MAX_AHEAD_MS = 60_000


def check_freshness(command: Command, *, retained: bool, now_ms: int, max_age_ms: int, require_timestamp: bool) -> None:
    """Raises `CommandFailed` for what must not be carried out now.

    Without a stamp of its own a command is taken for fresh: a clean session can not have queued it.
    """
    if retained:
        raise CommandFailed("rejected", "retained", "a retained command is never carried out; publish it unretained")
    if command.expires_at_ms is not None and now_ms > command.expires_at_ms:
        raise CommandFailed("expired", "expired", f"it expired {_span(now_ms - command.expires_at_ms)} ago")
    if command.timestamp_ms is None:
        if require_timestamp:  # also beside expires_at, which may lie years ahead of a replay
            raise CommandFailed("rejected", "bad_time", "it has no timestamp, and COMMAND_REQUIRE_TIMESTAMP is on")
        return
    age_ms = now_ms - command.timestamp_ms
    if age_ms > max_age_ms:
        raise CommandFailed("expired", "expired", f"it is {_span(age_ms)} old; at most {_span(max_age_ms)} are allowed")
    if -age_ms > MAX_AHEAD_MS:
        raise CommandFailed("rejected", "bad_time", f"its timestamp is {_span(-age_ms)} ahead of this gateway's clock")


def _span(millis: int) -> str:
    for unit, size in (("days", 86_400_000), ("hours", 3_600_000), ("min", 60_000)):
        if millis >= 3 * size:
            return f"{millis / size:.0f} {unit}"
    return f"{millis / 1000:g} s"
