"""Which edge gets which config document."""

import copy
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import orjson

from simulators.stamps import stamp

Document: TypeAlias = dict[str, object]


@dataclass(frozen=True, slots=True)
class Served:
    """A document as it goes out."""

    body: bytes
    etag: str


class Documents:
    """A document that names an `edge_id` is that edge's alone; one that names none goes to every registered edge.

    An edge is known once it is registered or has a document of its own. A registered edge without any gets a
    document without devices. With `file` (JSON) that document is read anew whenever the file has changed; while
    it can not be read, the last one stays and `file_error` says why.
    """

    def __init__(self, file: Path | None = None) -> None:
        self.template: Document | None = None
        self.own: dict[str, Document] = {}
        self.file_error: str | None = None
        self._registered: dict[str, str] = {}
        self._file = file
        self._file_seen: tuple[int, int] | None = None
        self._read_file()

    def put(self, document: Mapping[str, object], edge_id: str | None = None) -> None:
        """Serve this document from now on, to `edge_id`, or to whom it names, or to all registered."""
        edge_id = edge_id or _edge_named_in(document)
        if edge_id is None:
            self.template = dict(document)
        else:
            self.own[edge_id] = {**document, "edge_id": edge_id}

    def register(self, edge_id: str) -> None:
        """Make an edge known."""
        self._registered.setdefault(edge_id, stamp())

    def edit(self, change: Callable[[Document], object], edge_id: str | None = None) -> None:
        """Let `change` work on a copy, give it a new version, and serve that.

        The document of `edge_id`, else the one for all, else the only one there is. Raises `LookupError` when
        that names none.
        """
        document = copy.deepcopy(self._chosen(edge_id))
        change(document)
        document["version"] = stamp()
        self.put(document, edge_id)

    def find(self, edge_id: str) -> Served | None:
        """What this edge gets; None for an edge that is not known."""
        self._read_file()
        document = self.own.get(edge_id)
        if document is None and edge_id in self._registered:
            document = {**(self.template or self._without_devices(edge_id)), "edge_id": edge_id}
        if document is None:
            return None
        body = orjson.dumps(document, option=orjson.OPT_NON_STR_KEYS)
        return Served(body, f'"{hashlib.sha256(body).hexdigest()[:20]}"')

    def _chosen(self, edge_id: str | None) -> Document:
        if edge_id is not None:
            document = self.own.get(edge_id, self.template)
        else:
            document = self.template or (next(iter(self.own.values())) if len(self.own) == 1 else None)
        if document is None:
            raise LookupError(f"no document to edit for {edge_id or 'all edges'}: put one first")
        return document

    def _without_devices(self, edge_id: str) -> Document:
        return {
            "version": self._registered[edge_id],
            "edge_name": edge_id,
            "devices": [],
            "aggregation_interval_sec": 60,
            "local_retention_days": 7,
        }

    def _read_file(self) -> None:
        if self._file is None:
            return
        try:
            state = self._file.stat()
            seen = (state.st_mtime_ns, state.st_size)
            if seen == self._file_seen:
                return
            self._file_seen = seen
            document = orjson.loads(self._file.read_bytes())
        except (OSError, ValueError) as error:
            self.file_error = f"{self._file} can not be read: {error}; the document before it stays"
            return
        if not isinstance(document, dict):
            self.file_error = f"{self._file} holds no JSON object; the document before it stays"
            return
        self.file_error = None
        self.put(document)


def etag_matches(if_none_match: str, etag: str) -> bool:
    """Weak comparison, as a GET wants it: ``*``, a list, and ``W/`` on either side are understood."""
    bare = etag.removeprefix("W/")
    candidates = [candidate.strip() for candidate in if_none_match.split(",")]
    return "*" in candidates or bare in [candidate.removeprefix("W/") for candidate in candidates]


def _edge_named_in(document: Mapping[str, object]) -> str | None:
    named = document.get("edge_id")
    return named if isinstance(named, str) and named else None
