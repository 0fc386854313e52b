"""Opening the outbox whatever its file looks like."""

from pathlib import Path

from collector.storage.aside import Aside, log_damage
from collector.storage.epoch import has_run
from collector.storage.errors import DamagedFile
from collector.storage.outbox_store import FILE_NAME, GapLetter, OutboxStore
from collector.storage.records import Confirmed, Known

_INTERRUPTED = "an outbox file was found damaged before the last stop"
_FOREIGN_LOG = "the write-ahead log belonged to another file"


def open_outbox(
    folder: Path,
    limit_bytes: int,
    gap_letter: GapLetter,
    *,
    known: Known | None = None,
    confirmed: Confirmed | None = None,
    distrust: str = "",
) -> tuple[OutboxStore, str | None]:
    """The outbox in a folder, and what was wrong with its file if it had to be set aside.

    `known` and `confirmed` are what memory and the store before know when the file is opened anew within a run;
    `distrust` says why it is to be set aside even if it opens. Raises `StorageFailed` only where the disk refuses.
    """
    aside = Aside(folder / FILE_NAME)
    aside.resume()
    foreign_log = not distrust and aside.drop_foreign_log()
    distrust = distrust or log_damage(folder / FILE_NAME) or _emptied(folder)
    if distrust:
        aside.begin()
    try:
        store = OutboxStore(folder, limit_bytes, gap_letter)
    except DamagedFile as damage:
        distrust = str(damage)
        aside.begin()
        store = OutboxStore(folder, limit_bytes, gap_letter)
    try:
        if aside.pending:
            return store, _take_over(store, aside, known or Known(), distrust or _INTERRUPTED)
        if confirmed is not None:
            store.verify(known or Known(), confirmed)
    except BaseException:
        store.close()
        raise
    return store, _FOREIGN_LOG if foreign_log else None


def _emptied(folder: Path) -> str:
    """What is wrong with a file of no bytes where a collector has run before: SQLite would take it for a new one."""
    file, log = folder / FILE_NAME, folder / f"{FILE_NAME}-wal"
    if not has_run(folder) or not file.is_file() or file.stat().st_size or (log.exists() and log.stat().st_size):
        return ""
    return f"{file} is empty"


def _take_over(store: OutboxStore, aside: Aside, known: Known, damage: str) -> str:
    loss = store.take_over(aside.place, known)
    aside.finish()
    lost = "nobody can say how many are" if loss.count is None else f"{loss.count} are"
    return f"{damage}; kept as {aside.kept.name}; {store.found.data.messages} data messages saved, {lost} lost"
