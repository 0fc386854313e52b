"""The document from a file beside the collector, in JSON or YAML."""

import asyncio
import hashlib
import json
import re
import stat
from collections.abc import Mapping
from pathlib import Path

from collector.config.folder_watch import FolderWatch
from fleet_client.errors import FleetUnreachable, NotAConfig
from fleet_client.fetched import Fetched, NotModified
from fleet_client.json_text import MAX_BODY_BYTES

SETTLE_S = 0.2
"""So long after a change, what is written in several steps is whole; and a file is not read more often."""

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


class FileSource:
    """A document in a JSON or YAML file, whose checksum is its ETag. `news` returns when its folder saw a change.

    Where the system can not tell of changes (network drives, other systems than Linux), the interval has to do.
    """

    name = "file"

    def __init__(self, file: Path, edge_id: str, variables: Mapping[str, str]) -> None:
        self.edge_id = edge_id
        self._file = file
        self._variables = variables
        self._watch = FolderWatch(file)

    async def fetch(self, etag: str | None) -> Fetched | NotModified:
        """The file's content as JSON. Raises `FleetUnreachable` or `NotAConfig`, which name the file."""
        self._watch.begin()
        body = await asyncio.to_thread(self._read)
        digest = hashlib.sha256(body).hexdigest()
        own_tag = f'"{digest}"'
        if etag == own_tag:
            return NotModified(None)
        return Fetched(body, digest, own_tag, self.edge_id, str(self._file), None)

    async def news(self) -> None:
        """Return when the file may have changed."""
        await self._watch.change()
        await asyncio.sleep(SETTLE_S)

    def close(self) -> None:
        """Watch the file no more."""
        self._watch.end()

    def _read(self) -> bytes:
        try:
            return read_document_file(self._file, self._variables)
        except OSError as error:
            raise FleetUnreachable(f"EDGE_CONFIG_FILE {self._file}: {error.strerror or error}") from None
        except NotAConfig as error:
            raise NotAConfig(f"EDGE_CONFIG_FILE {error}") from None


def read_document_file(file: Path, variables: Mapping[str, str]) -> bytes:
    """A document's bytes as JSON: of a JSON file as they are, of one that ends in .yaml or .yml what it says.

    ``${NAME}`` becomes the variable of that name, whatever characters that has. Raises `OSError`, or `NotAConfig`
    for a variable that is not there, for what is no YAML, and over 32 MiB.
    """

    def value_of(name: str) -> str:
        if name not in variables:
            raise NotAConfig(f"{file} asks for ${{{name}}}, but there is no such variable")
        return variables[name]

    content = _content(file)
    if file.suffix.lower() in (".yaml", ".yml"):
        from collector.config.yaml_file import json_of  # libyaml is loaded only for a file that needs it

        return json_of(file, content, _VARIABLE, value_of)
    if b"${" not in content:
        return content
    text = content.decode("utf-8-sig", "replace")
    return _VARIABLE.sub(lambda found: json.dumps(value_of(found[1]), ensure_ascii=False)[1:-1], text).encode()


def _content(file: Path) -> bytes:
    if not stat.S_ISREG(file.stat().st_mode):
        raise NotAConfig(f"{file} is no regular file")
    with file.open("rb") as opened:
        content = opened.read(MAX_BODY_BYTES + 1)
    if len(content) > MAX_BODY_BYTES:
        raise NotAConfig(f"{file} has more than {MAX_BODY_BYTES:,} bytes")
    return content
