"""The conditional GET of the config document, and which path and which spelling of the edge id it goes to."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from fleet_client.errors import EdgeUnknown, FleetBadAnswer, FleetError
from fleet_client.fetched import Fetched, NotModified
from fleet_client.reading import count_devices
from fleet_client.topics import other_spelling, valid_edge_id
from fleet_client.transport import Answer, FleetTransport

PATHS = ("/api/fleet/v1/edges/{edge_id}/config", "/api/fleet/edge/{edge_id}/config")
OTHER_PATH_PAUSE_S = 300.0
DEADLINE_S = 30.0
OTHER_SPELLING_DEADLINE_S = 5.0


class FleetClient:
    """Asks the Fleet server for one edge's document. One fetch at a time.

    ``edge_id`` becomes the other spelling once that proves to be the one with devices; never with ``fixed_id``.
    ``monotonic`` gives seconds and defaults to the running loop's time. Raises `ValueError` for a base URL, a token
    or an edge id that can not be used.
    """

    def __init__(
        self,
        base_url: str,
        edge_id: str,
        *,
        token: str | None = None,
        ca_file: Path | None = None,
        trust_env: bool = False,
        fixed_id: bool = False,
        monotonic: Callable[[], float] | None = None,
        deadline_s: float = DEADLINE_S,
    ) -> None:
        if not valid_edge_id(edge_id):
            raise ValueError(f"{edge_id[:80]!r} is no edge id")
        self.edge_id = edge_id
        self._transport = FleetTransport(base_url, token=token, ca_file=ca_file, trust_env=trust_env)
        self._monotonic = monotonic
        self._deadline_s = deadline_s
        self._path = PATHS[0]
        self._other_path_due = float("-inf")
        self._settled = fixed_id
        self._had_devices = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._transport.close()

    def renew_token(self, token: str) -> None:
        """Use another token from the next request on. Raises `ValueError` for one that can not be used."""
        self._transport.renew_token(token)

    async def fetch(self, etag: str | None) -> Fetched | NotModified:
        """The document, unless ``etag`` still names it. Without an ETag of the server's give ``"<version>"``.

        Raises `FleetUnreachable`, `FleetRefused`, `EdgeUnknown` or `FleetBadAnswer`. Whether the body is a config
        is not judged here. Safe to cancel.
        """
        try:
            async with asyncio.timeout(self._deadline_s):
                return await self._fetch(etag)
        except TimeoutError:
            raise FleetBadAnswer(f"{self._transport.where}: no complete answer within {self._deadline_s:g} s") from None

    async def _fetch(self, etag: str | None) -> Fetched | NotModified:
        now = self._now()
        try_both = now >= self._other_path_due
        ours = await self._ask(self.edge_id, etag, try_both)
        if not self._settled and (ours is None or await self._is_empty(ours)):
            theirs = await self._ask_other(try_both)
            if theirs is not None:
                return theirs
        if ours is None:
            raise EdgeUnknown(
                f"{self._transport.where} knows no edge {self.edge_id} (HTTP 404): is it entered there, and is "
                "DEVICE_ID its id?"
            )
        return ours

    async def _ask(self, edge_id: str, etag: str | None, try_both: bool) -> Fetched | NotModified | None:
        """What the server has for this spelling; None for a 404."""
        answer = await self._transport.get(self._path.format(edge_id=edge_id), etag)
        if answer.status == 404 and try_both:
            self._other_path_due = self._now() + OTHER_PATH_PAUSE_S
            other_path = PATHS[1 - PATHS.index(self._path)]
            answer = await self._transport.get(other_path.format(edge_id=edge_id), etag)
            if answer.status != 404:
                self._path = other_path
        return self._result(answer, edge_id, etag)

    def _result(self, answer: Answer, edge_id: str, etag: str | None) -> Fetched | NotModified | None:
        if answer.status == 404:
            return None
        if answer.status == 304:
            if etag is None:
                raise FleetBadAnswer(
                    f"{self._transport.where} answered 304 (not modified) to an unconditional request", 304
                )
            return NotModified(answer.server_date)
        path = self._path.format(edge_id=edge_id)
        return Fetched(answer.body, answer.body_sha256, answer.etag, edge_id, path, answer.server_date)

    async def _is_empty(self, ours: Fetched | NotModified) -> bool:
        """Whether our spelling has no devices and never had: a list that was emptied is obeyed."""
        if self._had_devices or isinstance(ours, NotModified):
            return False
        devices = await asyncio.to_thread(count_devices, ours.body)
        self._had_devices = bool(devices)
        return devices == 0

    async def _ask_other(self, try_both: bool) -> Fetched | None:
        """The other spelling's document if it has devices. Asked once; a failure to ask does not count."""
        other = other_spelling(self.edge_id)
        if other is None:
            return None
        try:
            async with asyncio.timeout(OTHER_SPELLING_DEADLINE_S):
                theirs = await self._ask(other, None, try_both)
        except (FleetError, TimeoutError):  # what our own spelling said still stands
            return None
        self._settled = True
        if not isinstance(theirs, Fetched) or not await asyncio.to_thread(count_devices, theirs.body):
            return None
        self.edge_id, self._had_devices = other, True
        return theirs

    def _now(self) -> float:
        return self._monotonic() if self._monotonic else asyncio.get_running_loop().time()
