"""Tells when a file was written, replaced or removed, without looking again and again: Linux's inotify."""

import asyncio
import ctypes
import os
import struct
from collections.abc import Iterator
from pathlib import Path

_CLOSE_WRITE, _MOVED_FROM, _MOVED_TO, _CREATE, _DELETE = 0x8, 0x40, 0x80, 0x100, 0x200
_EVENTS = _CLOSE_WRITE | _MOVED_FROM | _MOVED_TO | _CREATE | _DELETE
_HEAD = struct.Struct("iIII")
_AT_ONCE = 64 * 1024
_MOUNTED = "..data"  # the link that Kubernetes turns round when a mounted file changes


class FolderWatch:
    """Watches the folder of a file, as editors and mounts replace files by name; links on the way are followed.

    What the system can not watch (no inotify, no such folder yet) is never said to have changed.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._names = {_MOUNTED}
        self._handle: int | None = None
        self._changed = asyncio.Event()

    def begin(self) -> None:
        """Watch from now on, whatever happened before."""
        self.end()
        self._changed.clear()
        self._handle = self._open()
        if self._handle is not None:
            asyncio.get_running_loop().add_reader(self._handle, self._take_events, self._handle)

    async def change(self) -> None:
        """Return when the file has changed since `begin`. Safe to cancel."""
        await self._changed.wait()

    def end(self) -> None:
        """Watch no more."""
        if self._handle is not None:
            asyncio.get_running_loop().remove_reader(self._handle)
            os.close(self._handle)
            self._handle = None

    def _open(self) -> int | None:
        try:
            system = ctypes.CDLL(None)
            handle: int = system.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        except (OSError, AttributeError):
            return None
        if handle < 0:
            return None
        paths = (self._file.absolute(), self._file.resolve())
        self._names = {_MOUNTED, *(path.name for path in paths)}
        folders = {os.fsencode(path.parent) for path in paths}
        watched = [system.inotify_add_watch(handle, folder, _EVENTS) >= 0 for folder in folders]
        if any(watched):
            return handle
        os.close(handle)
        return None

    def _take_events(self, handle: int) -> None:
        try:
            events = os.read(handle, _AT_ONCE)
        except OSError:
            return
        if self._names.intersection(_names(events)):
            self._changed.set()


def _names(events: bytes) -> Iterator[str]:
    """The names of the files that the events are about."""
    at = 0
    while at < len(events):
        length = _HEAD.unpack_from(events, at)[3]
        at += _HEAD.size
        yield os.fsdecode(events[at : at + length].rstrip(b"\0"))
        at += length
