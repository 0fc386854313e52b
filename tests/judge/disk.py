"""A folder as a disk would hold it after a power cut, built from the notes of `shims/recorded_disk.c`.

Of a file only what was synced is certain, of a folder only the entries that were there when it was synced. What was
not synced is gone (`Leftovers.NOTHING`), or some of it is there and some is not (`Leftovers.SOME`): disks do both.
"""

import random
import struct
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path, PurePosixPath
from typing import NamedTuple, TypeAlias

_HEAD = struct.Struct("=IIQQ")
_SECTOR = 512
_FOLDER = 0

Inode: TypeAlias = int


class Note(NamedTuple):
    """One thing that the process did. `kind`: see the shim."""

    kind: str
    inode: Inode
    offset: int
    data: bytes


class Leftovers(Enum):
    """What a cut leaves of what was not synced."""

    NOTHING = "nothing"
    SOME = "some"


def read_notes(log: Path) -> list[Note]:
    """All notes; the last one may have been cut off by the process's end."""
    written = memoryview(log.read_bytes())
    notes, at = [], 0
    while at + _HEAD.size <= len(written):
        kind, length, inode, offset = _HEAD.unpack_from(written, at)
        at += _HEAD.size
        if at + length > len(written):
            break
        notes.append(Note(chr(kind), inode, offset, bytes(written[at : at + length])))
        at += length
    return notes


def said(notes: Iterable[Note]) -> list[str]:
    """The lines that the process had said by then."""
    return b"".join(note.data for note in notes if note.kind == "O").decode().splitlines()


@dataclass(slots=True)
class _File:
    content: bytearray = field(default_factory=bytearray)
    unsynced: list[Note] = field(default_factory=list)

    def sync(self) -> None:
        for note in self.unsynced:
            _write(self.content, note)
        self.unsynced.clear()

    def left(self, chance: random.Random | None) -> bytes:
        content = bytearray(self.content)
        for note in self.unsynced if chance else ():
            assert chance is not None
            for part in _parts(note):
                if chance.random() < 0.5:
                    _write(content, part)
        return bytes(content)


class Disk:
    """``Disk(folder)`` takes the folder as it is, all of it synced; `happen` lets time pass; `after_cut` reads it."""

    def __init__(self, folder: Path) -> None:
        self._files: dict[Inode, _File] = {}
        self._entries: dict[PurePosixPath, Inode] = {}
        self._unsynced: defaultdict[PurePosixPath, list[tuple[PurePosixPath, Inode | None]]] = defaultdict(list)
        for path in folder.rglob("*"):
            inode = _FOLDER if path.is_dir() else path.stat().st_ino
            self._entries[PurePosixPath(path.relative_to(folder))] = inode
            if inode:
                self._files[inode] = _File(bytearray(path.read_bytes()))
        self._seen = dict(self._entries)

    def happen(self, notes: Sequence[Note]) -> None:
        """The process did this."""
        for note in notes:
            if note.kind in "WTG":
                self._files[note.inode].unsynced.append(note)
            elif note.kind == "S":
                self._files[note.inode].sync()
            elif note.kind != "O":
                self._rearrange(note)

    def after_cut(self, leftovers: Leftovers = Leftovers.NOTHING, seed: int = 0) -> dict[PurePosixPath, bytes | None]:
        """What is there when the power is back: files by path, and folders as None."""
        chance = random.Random(seed) if leftovers is Leftovers.SOME else None
        entries = dict(self._entries)
        for changes in self._unsynced.values():
            # A folder's changes reach the disk in their order, for file systems journal them.
            for path, inode in changes[: chance.randint(0, len(changes)) if chance else 0]:
                _enter(entries, path, inode)
        there = {path for path in entries if all(parent in entries for parent in list(path.parents)[:-1])}
        return {
            path: None if entries[path] == _FOLDER else self._files[entries[path]].left(chance)
            for path in sorted(there)
        }

    def _rearrange(self, note: Note) -> None:
        if note.kind == "D":
            for path, inode in self._unsynced.pop(PurePosixPath(note.data.decode()), ()):
                _enter(self._entries, path, inode)
            return
        first, *others = (PurePosixPath(name) for name in note.data.decode().split("\0"))
        if note.kind == "C":
            self._files[note.inode] = _File()
            self._change(first, note.inode)
        elif note.kind == "F":
            self._change(first, _FOLDER)
        elif note.kind in "UR":
            self._change(first, None)
        elif note.kind == "M":
            moved = self._seen[first]
            assert moved != _FOLDER, f"{first}: the model of a disk knows no renaming of folders"
            self._change(others[0], moved)
            self._change(first, None)

    def _change(self, path: PurePosixPath, inode: Inode | None) -> None:
        _enter(self._seen, path, inode)
        self._unsynced[path.parent].append((path, inode))


def build(content: dict[PurePosixPath, bytes | None], folder: Path) -> None:
    """Write what a cut has left into an empty or new folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for path, data in content.items():
        target = folder / path
        if data is None:
            target.mkdir(mode=0o700)
        else:
            target.write_bytes(data)


def _enter(entries: dict[PurePosixPath, Inode], path: PurePosixPath, inode: Inode | None) -> None:
    if inode is None:
        entries.pop(path, None)
    else:
        entries[path] = inode


def _write(content: bytearray, note: Note) -> None:
    end = note.offset + len(note.data)
    if note.kind == "T":
        del content[note.offset :]
    content.extend(bytes(max(0, end - len(content))))
    if note.kind == "W":
        content[note.offset : end] = note.data


def _parts(note: Note) -> Iterator[Note]:
    """A write sector by sector, anything else as it is: what a cut may tear apart, and what not."""
    if note.kind != "W":
        yield note
        return
    at = note.offset
    while at < note.offset + len(note.data):
        end = min(at - at % _SECTOR + _SECTOR, note.offset + len(note.data))
        yield Note("W", note.inode, at, note.data[at - note.offset : end - note.offset])
        at = end
