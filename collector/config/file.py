"""The document from a file beside the collector, in JSON or YAML."""

import asyncio
import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path

import yaml

from fleet_client.client import Fetched, NotModified
from fleet_client.errors import FleetUnreachable, NotAConfig

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


class FileSource:
    """A document in a JSON or YAML file, read anew at every fetch; its checksum is its ETag.

    ``${NAME}`` is replaced by the variable of that name. Files ending in .yaml or .yml are YAML.
    """

    name = "file"

    def __init__(self, file: Path, edge_id: str, variables: Mapping[str, str]) -> None:
        self.edge_id = edge_id
        self._file = file
        self._variables = variables

    async def fetch(self, etag: str | None) -> Fetched | NotModified:
        """The file's content as JSON. Raises `FleetUnreachable` or `NotAConfig`, which name the file."""
        body = await asyncio.to_thread(self._read)
        digest = hashlib.sha256(body).hexdigest()
        own_tag = f'"{digest}"'
        if etag == own_tag:
            return NotModified(None)
        return Fetched(body, digest, own_tag, self.edge_id, str(self._file), None)

    def _read(self) -> bytes:
        try:
            content = self._file.read_bytes()
        except OSError as error:
            raise FleetUnreachable(f"EDGE_CONFIG_FILE {self._file}: {error.strerror or error}") from None
        filled = _VARIABLE.sub(lambda found: self._value(found[1]), content.decode("utf-8-sig", "replace"))
        return self._json_of(filled) if self._file.suffix.lower() in (".yaml", ".yml") else filled.encode()

    def _value(self, name: str) -> str:
        if name not in self._variables:
            raise NotAConfig(f"EDGE_CONFIG_FILE {self._file} asks for ${{{name}}}, but there is no such variable")
        return self._variables[name]

    def _json_of(self, text: str) -> bytes:
        try:
            return json.dumps(yaml.load(text, _PlainLoader), ensure_ascii=False).encode()  # noqa: S506 - a safe loader
        except (yaml.YAMLError, TypeError, ValueError, RecursionError) as error:
            reason = " ".join(str(error).split())
            raise NotAConfig(f"EDGE_CONFIG_FILE {self._file} is no YAML document: {reason}") from None


class _PlainLoader(yaml.CSafeLoader):
    """Leaves every scalar the text it was written as: YAML would make ``00001`` a 1 and ``on`` a truth."""


_PlainLoader.yaml_implicit_resolvers = {
    first: [
        (tag, pattern) for tag, pattern in resolvers if tag in ("tag:yaml.org,2002:null", "tag:yaml.org,2002:merge")
    ]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}
