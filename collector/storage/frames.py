"""SQLite's write-ahead log, frame by frame, read without SQLite.

The format: https://www.sqlite.org/fileformat.html#the_write_ahead_log
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

PAGE_BYTES = 4096
_HEADER_BYTES = 32
_BIG_ENDIAN_SUMS = 0x377F0683
_FRAME_HEADER = struct.Struct(">II8sII")
_WORDS = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Frame:
    """A page as a transaction left it. `place` is where it begins in the log; the last of a transaction `commits`."""

    page: int
    place: int
    commits: bool
    head: bytes
    sums: tuple[int, int]


def frames(log: BinaryIO) -> Iterator[Frame]:
    """The frames of the log's present round, without those that can not be told from what earlier rounds left."""
    salt = _salt(log)
    for place, header in _headers(log):
        page, size_after_commit, salt_of_frame, *sums = _FRAME_HEADER.unpack(header)
        if salt_of_frame == salt:
            yield Frame(page, place, bool(size_after_commit), header[:8], (sums[0], sums[1]))


def ends_soundly(log: BinaryIO) -> bool:
    """Whether all is well with the log, or its last transaction was never finished, as a power cut leaves it.

    A commit behind something spoilt says that SQLite would pass over what was safe once.
    """
    header = _header(log)
    if not _is_sound(header):
        return not any(True for _ in frames(log))
    order, sums = _order(header), struct.unpack_from(">II", header, 24)
    expected = _HEADER_BYTES + _FRAME_HEADER.size
    spoilt = False
    for frame in frames(log):
        spoilt = spoilt or frame.place != expected
        if not spoilt:
            log.seek(frame.place)
            sums = _sums(frame.head + log.read(PAGE_BYTES), order, sums)
            spoilt = sums != frame.sums
        expected = frame.place + PAGE_BYTES + _FRAME_HEADER.size
        if spoilt and frame.commits:
            return False
    return True


def _header(log: BinaryIO) -> bytes:
    log.seek(0)
    return log.read(_HEADER_BYTES)


def _headers(log: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Each frame's header, and where its page begins."""
    at = _HEADER_BYTES
    while True:
        log.seek(at)
        header = log.read(_FRAME_HEADER.size)
        if len(header) < _FRAME_HEADER.size:
            return
        at += _FRAME_HEADER.size
        yield at, header
        at += PAGE_BYTES


def _salt(log: BinaryIO) -> bytes:
    """What marks the present round; where the log's own header is spoilt, what two frames in a row agree on."""
    header = _header(log)
    if _is_sound(header):
        return header[16:24]
    before = b""
    for _, frame in _headers(log):
        if frame[8:16] == before:
            return before
        before = frame[8:16]
    return before


def _order(header: bytes) -> str:
    return ">" if int.from_bytes(header[:4]) == _BIG_ENDIAN_SUMS else "<"


def _is_sound(header: bytes) -> bool:
    return len(header) == _HEADER_BYTES and _sums(header[:24], _order(header), (0, 0)) == struct.unpack_from(
        ">II", header, 24
    )


def _sums(data: bytes, order: str, before: tuple[int, int]) -> tuple[int, int]:
    first, second = before
    words = struct.unpack(f"{order}{len(data) // 4}I", data[: len(data) // 4 * 4])
    for even, odd in zip(words[::2], words[1::2], strict=False):
        first = (first + even + second) & _WORDS
        second = (second + odd + first) & _WORDS
    return first, second
