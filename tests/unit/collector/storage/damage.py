"""Outbox files, and ways to damage them, each by a seed."""

import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from collector.storage.opening import open_outbox
from collector.storage.outbox_store import FILE_NAME, OutboxStore
from collector.storage.records import Change, Gap, Record, Tally

PAGE = 4096
LOG_NAME = f"{FILE_NAME}-wal"
BIG = 1 << 30
_LABEL_BYTES = 80
_LARGEST_BODY = 9000
Span = tuple[int, int]
Mutation = Callable[[random.Random, bytearray], list[Span]]


@dataclass(frozen=True, slots=True)
class Specimen:
    """A folder with an outbox, what waits in it, and where on which file each message's bytes lie."""

    folder: Path
    epoch: str
    bodies: dict[int, bytes]
    places: dict[int, list[tuple[str, int, int]]]


def gap_letter(gap: Gap, reason: str) -> Record | None:
    """Stands in for the writer of events."""
    text = f"{reason} {gap.epoch} {gap.from_seq} {gap.to_seq} {gap.count}"
    return Record("t/events", text.encode(), 0)


def opened(folder: Path) -> tuple[OutboxStore, str | None]:
    """The outbox in a folder."""
    return open_outbox(folder, BIG, gap_letter)


def contents(store: OutboxStore) -> dict[int, bytes]:
    """All data in an outbox, by sequence number."""
    found: dict[int, bytes] = {}
    after = 0
    while True:
        batch = store.read("data", after, 100, BIG)
        if not batch.rows and not batch.skipped.messages:
            return found
        for row in batch.rows:
            assert row.record.seq is not None
            assert row.record.seq not in found
            found[row.record.seq] = row.record.payload
        after = batch.last


def letters(store: OutboxStore) -> list[str]:
    """All letters in an outbox."""
    return [row.record.payload.decode() for row in store.read("letters", 0, 10_000, BIG).rows]


def specimen(folder: Path, *, count: int, largest: int, acknowledged: int, closed: bool) -> Specimen:
    """An outbox whose first `acknowledged` messages are delivered; not `closed`: as a power cut leaves it."""
    chance = random.Random(f"{count} {largest} {acknowledged}")
    bodies = {seq: chance.randbytes(chance.randint(40, largest)) for seq in range(1, count + 1)}
    work = folder.with_name(f"{folder.name}-work")
    work.mkdir()
    store, _ = opened(work)
    epoch = store.begin_epoch(1_776_412_800_000)
    for first in range(1, count + 1, 50):
        group = tuple(_record(epoch, seq, bodies[seq]) for seq in range(first, min(first + 50, count + 1)))
        store.apply(Change(added=group), Change(added=(Record("t/events", b"letter", 0),)))
    for first in range(1, acknowledged + 1, 10):
        last = min(first + 9, acknowledged)
        size = sum(len(bodies.pop(seq)) for seq in range(first, last + 1))
        store.apply(Change(removed=((first, last),), removed_tally=Tally(last - first + 1, size)), Change())
    if closed:
        store.close()
        work.rename(folder)
    else:
        shutil.copytree(work, folder)
        store.close()
    (folder / "ballast").unlink()
    return Specimen(folder, epoch, bodies, {seq: list(_places(folder, body)) for seq, body in bodies.items()})


def _record(epoch: str, seq: int, body: bytes) -> Record:
    return Record("t/data", body, 1_776_412_800_000 + seq, epoch, seq)


def _places(folder: Path, body: bytes) -> Iterator[tuple[str, int, int]]:
    """Where a message's row, or a part of it, is: in the log its last copy counts."""
    for part in (body[:30], body[-30:]):
        for name in (LOG_NAME, FILE_NAME):
            content = (folder / name).read_bytes() if (folder / name).exists() else b""
            place = content.rfind(part)
            if place >= 0:
                yield name, place - _LABEL_BYTES, place + min(len(body), PAGE)
                break


# --- damage


def cut(chance: random.Random, content: bytearray) -> list[Span]:
    """The end is missing."""
    place = chance.randrange(len(content))
    end = len(content)
    del content[place:]
    return [(place, end)]


def bits(chance: random.Random, content: bytearray) -> list[Span]:
    """Some bits are turned."""
    places = [chance.randrange(len(content)) for _ in range(chance.randint(1, 20))]
    for place in places:
        content[place] ^= 1 << chance.randrange(8)
    return [(place, place + 1) for place in places]


def zero_page(chance: random.Random, content: bytearray) -> list[Span]:
    """A page was never written."""
    return _overwrite(chance, content, bytes(PAGE))


def noise_page(chance: random.Random, content: bytearray) -> list[Span]:
    """A page holds something else."""
    return _overwrite(chance, content, chance.randbytes(PAGE))


def first_page(chance: random.Random, content: bytearray) -> list[Span]:
    """The page without which SQLite knows nothing of the file."""
    content[:PAGE] = chance.randbytes(PAGE)
    return [(0, PAGE)]


def swapped_pages(chance: random.Random, content: bytearray) -> list[Span]:
    """A page was written to the place of another."""
    page = chance.randrange(max(1, len(content) // PAGE))
    return _overwrite(chance, content, bytes(content[page * PAGE : (page + 1) * PAGE]))


def _overwrite(chance: random.Random, content: bytearray, page: bytes) -> list[Span]:
    start = chance.randrange(max(1, len(content) // PAGE)) * PAGE
    content[start : start + len(page)] = page
    return [(start, start + PAGE)]


MUTATIONS: tuple[Mutation, ...] = (cut, bits, zero_page, noise_page, first_page, swapped_pages)


def damaged(of: Specimen, to: Path, seed: int) -> tuple[str, set[int]]:
    """Copy a specimen and damage it; returns what was done, and the messages that it did not touch."""
    chance = random.Random(seed)
    shutil.copytree(of.folder, to)
    names = [name for name in (FILE_NAME, LOG_NAME) if (to / name).exists() and (to / name).stat().st_size]
    name, mutation = chance.choice(names), chance.choice(MUTATIONS)
    content = bytearray((to / name).read_bytes())
    spans = mutation(chance, content)
    (to / name).write_bytes(content)
    untouched = {
        seq
        for seq, places in of.places.items()
        if not any(
            place[0] == name and first < place[2] and place[1] < last for place in places for first, last in spans
        )
    }
    return f"{mutation.__name__} of {name}, seed {seed}", untouched
