"""Garbage in the buffer's file, as worn flash leaves it."""

import secrets
from collections.abc import Iterator
from pathlib import Path

_PAGE = 4096
_LOG_HEAD = 32
_FRAME_HEAD = 24
_FILE, _LOG = "outbox.db", "outbox.db-wal"
_EVERY = 3

Place = tuple[str, int]


def damage(folder: Path, topic: str) -> int:
    """Overwrite every third page with messages of a topic in a stopped collector's outbox; how many bytes.

    That is the page as it is in the file and each time that it is in the write-ahead log, so that no older copy of it
    helps. The one that was written last is spared. Raises `OSError`.
    """
    places: dict[int, list[Place]] = {}
    for number, place in (*_in_file(folder / _FILE, topic.encode()), *_in_log(folder / _LOG, topic.encode())):
        so_far = places.pop(number, [])
        places[number] = [*so_far, place]  # the page that was written last is the last one
    spoilt = [place for number in list(places)[-2::-_EVERY] for place in places[number]]
    for name, at in spoilt:
        with (folder / name).open("r+b") as file:
            file.seek(at)
            file.write(secrets.token_bytes(_PAGE))
    return len(spoilt) * _PAGE


def _in_file(path: Path, topic: bytes) -> Iterator[tuple[int, Place]]:
    content = path.read_bytes()
    for at in range(0, len(content), _PAGE):
        if topic in content[at : at + _PAGE]:
            yield at // _PAGE + 1, (path.name, at)


def _in_log(path: Path, topic: bytes) -> Iterator[tuple[int, Place]]:
    """SQLite's write-ahead log: frames of a head, which begins with the page's number, and the page."""
    content = path.read_bytes() if path.exists() else b""
    for head in range(_LOG_HEAD, len(content), _FRAME_HEAD + _PAGE):
        at = head + _FRAME_HEAD
        if topic in content[at : at + _PAGE]:
            yield int.from_bytes(content[head : head + 4]), (path.name, at)
