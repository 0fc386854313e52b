"""The page's own files: read once, served from memory, and nothing else of the disk can be asked for."""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

_KINDS = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True, slots=True)
class PageFile:
    """A file as it is sent."""

    media_type: str
    plain: bytes
    packed: bytes
    etag: str


def page_files() -> Mapping[str, PageFile]:
    """By name. To be read in a thread, once."""
    found: dict[str, PageFile] = {}
    for each in files("collector.web").joinpath("page").iterdir():
        kind = _KINDS.get(f".{each.name.rpartition('.')[2]}")
        if kind is not None:
            plain = each.read_bytes()
            etag = f'"{hashlib.sha256(plain).hexdigest()[:16]}"'
            found[each.name] = PageFile(kind, plain, gzip.compress(plain, mtime=0), etag)
    return found
