"""Server-sent events: what has changed since the last second."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from itertools import count
from typing import Annotated

import orjson
from fastapi import APIRouter, HTTPException, Query, Request
from starlette.responses import Response, StreamingResponse

from collector.status.board import DeviceState
from collector.status.latest import Seen
from collector.web import answers, situation
from collector.web.catalogue import Catalogues
from collector.web.rendering import as_json
from collector.web.sources import Sources

EVERY_S = 1.0
STATUS_EVERY = 2
"""Each so many turns: what it costs is what an open page costs."""
MOST_LISTENERS = 32
Told = tuple[object, ...]


def stream_routes(sources: Sources, catalogues: Catalogues, closing: asyncio.Event) -> APIRouter:
    """A stream ends when the listener goes or `closing` is set."""
    router = APIRouter(prefix="/api/v1", tags=["live"])
    listeners: set[object] = set()

    @router.get("/stream", responses={200: {"content": {"text/event-stream": {}}}, 429: {"model": answers.Refusal}})
    async def stream(
        request: Request,
        device_id: Annotated[list[str], Query(max_length=1_000, description="Only their values.")] = [],  # noqa: B006
        values: Annotated[bool, Query(description="false: no values, only how all does.")] = True,
    ) -> Response:
        """`status` every two seconds, `device` when one changes, `values` of each new poll cycle:
        `{"device_id", "stamp_ms", "values": {tag: value}, "quality": {tag: why not good}}`."""
        if len(listeners) >= MOST_LISTENERS:
            raise HTTPException(429, f"{MOST_LISTENERS} streams are open already; close some pages")
        teller = _Teller(sources, catalogues, frozenset(device_id), values=values, changes=request.state.trusted)

        async def tell() -> AsyncIterator[bytes]:
            listeners.add(teller)
            try:
                yield b"retry: 2000\n\n"
                while not closing.is_set():
                    if news := await teller.news():
                        yield news
                    await _until(closing, EVERY_S)
            finally:
                listeners.discard(teller)

        return StreamingResponse(tell(), media_type="text/event-stream")

    return router


class _Teller:
    """What one listener was told already."""

    def __init__(
        self, sources: Sources, catalogues: Catalogues, only: frozenset[str], *, values: bool, changes: bool
    ) -> None:
        self._sources = sources
        self._catalogues = catalogues
        self._only = only
        self._values = values
        self._changes = changes
        self._turns = count()
        self._devices: dict[str, Told] = {}
        self._cycles: dict[tuple[str, tuple[str, ...]], int] = {}

    async def news(self) -> bytes:
        """The events since the last call; all that there is at the first."""
        catalogue = await self._catalogues.now()
        states = self._sources.board.devices
        frames = []
        if next(self._turns) % STATUS_EVERY == 0:
            frames.append(_frame("status", situation.status(self._sources, catalogue, changes=self._changes)))
        for state in states.values():
            entry = catalogue.devices.get(state.id)
            told = _worth_telling(state, entry)
            if self._devices.get(state.id) != told:
                self._devices[state.id] = told
                frames.append(_frame("device", situation.device(state, entry)))
        for gone in self._devices.keys() - states.keys():
            del self._devices[gone]
            frames.append(_frame("gone", {"id": gone}))
        if self._values:
            frames += map(_cycle, self._fresh(self._only & states.keys() if self._only else states))
        return b"".join(frames)

    def _fresh(self, device_ids: Iterable[str]) -> Iterable[Seen]:
        known, self._cycles = self._cycles, {}
        for device_id in device_ids:
            for cycle in self._sources.latest.cycles(device_id):
                key = device_id, cycle.names
                self._cycles[key] = cycle.stamp_ms
                if known.get(key) != cycle.stamp_ms:
                    yield cycle


def _worth_telling(state: DeviceState, entry: object) -> Told:
    """Its counts change with every poll, and are not."""
    how = situation.state_of(state), state.since_ms, state.error, state.remark, len(state.bad_tags)
    return state.name, *how, id(entry)


def _cycle(cycle: Seen) -> bytes:
    values = {name: as_json(value) for name, value in zip(cycle.names, cycle.values, strict=True) if value is not None}
    quality = {cycle.names[position]: why.value for position, why in cycle.bad.items()}
    fields = {"device_id": cycle.device.id, "stamp_ms": cycle.stamp_ms, "values": values, "quality": quality}
    return _frame("values", fields)


def _frame(kind: str, content: object) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), orjson.dumps(content))


async def _until(closing: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await closing.wait()
    except TimeoutError:
        pass
