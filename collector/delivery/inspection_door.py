"""A door for those who look: how `buffer stats` and `buffer export` see into a running collector's outbox.

The collector is the only one that may have its file open: in the SQLite releases before 3.51.3 a second connection can
cost pages of the write-ahead log, and a copy of a file that is being written is torn. So the collector reads for
others, and answers on a Unix socket that is found by the folder and has no file, so that a full or read-only disk does
not matter. It answers its own user and root.

A request is a line, ``stats`` or ``export``; the answer lines of JSON, the last of them ``{"end": COUNT}`` or
``{"error": TEXT}``: without it something is missing.
"""

import asyncio
import os
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path

import orjson
import structlog

from collector.delivery.report import Look, figures, lines
from collector.storage.errors import StorageFailed

_CREDENTIALS = struct.Struct("3i")
_REQUEST_S = 5.0
_STALLED_S = 30.0

log = structlog.get_logger()


class NoAnswer(Exception):
    """The running collector did not answer, or not all of it; says why."""


@asynccontextmanager
async def inspection_door(
    folder: Path, look: Look, *, commit: Callable[[], Awaitable[None]], in_memory: Callable[[], int]
) -> AsyncIterator[None]:
    """Answer as long as the context is open. A folder where no socket can be is no reason not to run.

    `commit` writes what is only in memory; `in_memory` says how many messages are.
    """

    async def answer(request: bytes) -> AsyncIterator[bytes]:
        if request == b"stats":
            yield orjson.dumps(await figures(look) | {"in_memory": in_memory()})
        elif request == b"export":
            await commit()
            if in_memory():
                raise StorageFailed(f"{in_memory()} messages are in memory only, the disk does not take them")
            async for each in lines(look):
                yield each
        else:
            raise StorageFailed("expected stats or export")

    try:
        server = await asyncio.start_unix_server(partial(_serve, answer), _address(folder))
    except OSError as error:
        log.warning("nobody can look into the running outbox", folder=str(folder), reason=error.strerror or str(error))
        yield
        return
    try:
        yield
    finally:
        server.close()


def _address(folder: Path) -> str:
    place = folder.stat()
    return f"\0edge-collector-outbox-{place.st_dev}-{place.st_ino}"


def _may_look(writer: asyncio.StreamWriter) -> bool:
    credentials = writer.get_extra_info("socket").getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _, user, _ = _CREDENTIALS.unpack(credentials)
    return user in (0, os.geteuid())


async def _serve(
    answer: Callable[[bytes], AsyncIterator[bytes]], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    count = 0
    with suppress(OSError, TimeoutError, ValueError):
        async with asyncio.timeout(_REQUEST_S):
            request = (await reader.readline()).strip()
        try:
            if not _may_look(writer):
                raise StorageFailed("only the collector's own user may look")
            async for each in answer(request):
                writer.write(each + b"\n")
                count += 1
                async with asyncio.timeout(_STALLED_S):
                    await writer.drain()
            writer.write(orjson.dumps({"end": count}) + b"\n")
        except StorageFailed as error:
            writer.write(orjson.dumps({"error": str(error)}) + b"\n")
        async with asyncio.timeout(_STALLED_S):
            await writer.drain()
    writer.close()


async def ask(folder: Path, request: str) -> AsyncIterator[bytes]:
    """What a running collector answers, line by line. Raises `NoAnswer`."""
    try:
        reader, writer = await asyncio.open_unix_connection(_address(folder), limit=1 << 26)
    except OSError as error:
        raise NoAnswer(f"a collector has {folder} in use and does not answer: {error.strerror or error}") from error
    try:
        writer.write(f"{request}\n".encode())
        while True:
            async with asyncio.timeout(_STALLED_S):
                each = (await reader.readline()).rstrip(b"\n")
            if each.startswith(b'{"end":'):
                return
            if each.startswith(b'{"error":') or not each:
                raise NoAnswer(str(orjson.loads(each)["error"]) if each else "the collector ended meanwhile")
            yield each
    except (OSError, TimeoutError, ValueError) as error:
        raise NoAnswer(f"the collector's answer broke off: {error}") from error
    finally:
        writer.close()
