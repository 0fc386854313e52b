"""The documents as they came, on the disk: what a start without a server begins with.

    current.json          the body, byte for byte
    current.json.check    line 1: SHA-256 of all that follows and of the body; line 2: etag, edge id and path as JSON
    earlier/00000012.json and its .check, the last ten kept, the newest of them the same as current
    aside.json            the document that was rolled back, by its checksum and what names it at the server

A document goes to ``earlier`` first and becomes current after that, so whatever a power cut leaves behind is either
whole or known to be not. The functions block: call them in a thread, one at a time.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from fleet_client.errors import NotKept
from fleet_client.json_text import MAX_BODY_BYTES

KEPT_EARLIER = 10
_MAX_CHECK_BYTES = 16 * 1024


@dataclass(frozen=True, slots=True)
class Kept:
    """A document from the disk, as it came, and how it came."""

    body: bytes
    body_sha256: str
    etag: str | None
    edge_id: str
    path: str


@dataclass(frozen=True, slots=True)
class Aside:
    """A document that was rolled back: its checksum, what names it at the server, and whether for good."""

    sha256: str
    tag: str | None
    for_good: bool


class DocumentStore:
    """Keeps documents in ``folder`` (``DATA_DIR/config``), which is made at the first need, for its owner only."""

    def __init__(self, folder: Path, on_half: Callable[[], None] = lambda: None) -> None:
        """`on_half` is called when a body is on disk and its check is not."""
        self._folder = folder
        self._on_half = on_half
        self._earlier = folder / "earlier"
        self._current = folder / "current.json"
        self._aside = folder / "aside.json"

    def keep(self, body: bytes, etag: str | None, edge_id: str, path: str) -> None:
        """Make this the current document. One that is current already is not written again.

        Raises `NotKept` if the disk does not take it; `load` then gives this one or the one before, never a mixture.
        """
        check = _check(body, etag, edge_id, path)
        try:
            if _read(self._check_of(self._current), _MAX_CHECK_BYTES) == check and self._good(self._current):
                return
            _make_folder(self._folder)
            _make_folder(self._earlier)
            for file in (self._next_earlier(), self._current):
                _write(file, body)
                self._on_half()
                _write(self._check_of(file), check)
            self._forget_oldest()
        except OSError as error:
            reason = error.strerror or str(error)
            raise NotKept(f"the config document could not be kept in {self._folder}: {reason}") from error

    def load(self) -> Kept | None:
        """The current document, or the newest earlier one that is whole; None if there is none. Never raises."""
        return next(self.documents(), None)

    def documents(self) -> Iterator[Kept]:
        """The documents that are whole, the current one first, then from the newest to the oldest. Never raises."""
        seen: set[Kept] = set()
        for file in (self._current, *reversed(self._numbered())):
            kept = self._good(file)
            if kept is not None and kept not in seen:
                seen.add(kept)
                yield kept

    def has_current(self) -> bool:
        """Whether there is a current document, whole or not; costs no reading."""
        return self._current.is_file() and self._check_of(self._current).is_file()

    def put_aside(self, aside: Aside | None) -> None:
        """Remember which document was rolled back, None: no more. A disk that does not take it is no error."""
        try:
            if aside is None:
                self._aside.unlink(missing_ok=True)
            else:
                _make_folder(self._folder)
                _write(self._aside, json.dumps(asdict(aside)).encode())
        except OSError:  # at worst that document is tried once more after a restart
            return

    def aside(self) -> Aside | None:
        """The document that was rolled back last, if it still counts. Never raises."""
        try:
            sent = json.loads(_read(self._aside, _MAX_CHECK_BYTES) or b"null")
        except ValueError:
            return None
        match sent:
            case {"sha256": str(sha256), "tag": None | str() as tag, "for_good": bool(for_good)}:
                return Aside(sha256, tag, for_good)
            case _:
                return None

    def _good(self, file: Path) -> Kept | None:
        body, check = _read(file, MAX_BODY_BYTES), _read(self._check_of(file), _MAX_CHECK_BYTES)
        return _verified(body, check) if body is not None and check is not None else None

    def _next_earlier(self) -> Path:
        numbered = self._numbered()
        return self._earlier / f"{int(numbered[-1].stem) + 1 if numbered else 1:08d}.json"

    def _forget_oldest(self) -> None:
        for file in self._numbered()[:-KEPT_EARLIER]:
            self._check_of(file).unlink(missing_ok=True)
            file.unlink(missing_ok=True)

    def _numbered(self) -> list[Path]:
        try:
            files = [file for file in self._earlier.iterdir() if file.suffix == ".json" and file.stem.isdecimal()]
        except OSError:
            return []
        return sorted(files, key=lambda file: int(file.stem))

    @staticmethod
    def _check_of(file: Path) -> Path:
        return file.with_name(file.name + ".check")


def _check(body: bytes, etag: str | None, edge_id: str, path: str) -> bytes:
    how = json.dumps({"etag": etag, "edge_id": edge_id, "path": path}).encode()
    return _checksum(how, body) + b"\n" + how + b"\n"


def _checksum(how: bytes, body: bytes) -> bytes:
    return hashlib.sha256(how + b"\n" + body).hexdigest().encode()


def _verified(body: bytes, check: bytes) -> Kept | None:
    checksum, _, how = check.rstrip(b"\n").partition(b"\n")
    if _checksum(how, body) != checksum:
        return None
    try:
        sent = json.loads(how)
    except ValueError:
        return None
    match sent:
        case {"etag": None | str() as etag, "edge_id": str(edge_id), "path": str(path)}:
            return Kept(body, hashlib.sha256(body).hexdigest(), etag, edge_id, path)
        case _:
            return None


def _read(file: Path, limit: int) -> bytes | None:
    """The content of a regular file; None for what is missing, too large, not readable or a link."""
    try:
        with open(file, "rb", opener=_open_no_link) as opened:
            content = opened.read(limit + 1)
    except OSError:
        return None
    return content if len(content) <= limit else None


def _open_no_link(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)


def _make_folder(folder: Path) -> None:
    if not folder.is_dir():
        folder.mkdir(mode=0o700, parents=True)
        _sync_folder(folder.parent)


def _write(file: Path, content: bytes) -> None:
    """Replace a file so that after a power cut it is either the old one or the new one."""
    partial = file.with_name(file.name + ".partial")
    partial.unlink(missing_ok=True)
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "wb") as opened:
        opened.write(content)
        opened.flush()
        os.fsync(opened.fileno())
    partial.replace(file)
    _sync_folder(file.parent)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
