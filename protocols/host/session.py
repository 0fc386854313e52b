"""One reading of the machine after the other."""

import asyncio
from functools import partial
from pathlib import Path

from protocols.base import Cycle
from protocols.errors import RequestRefused, SessionLost, Unwritable
from protocols.host.addresses import Source
from protocols.host.errands import Errands
from protocols.host.figures import OWN_ROOT, CpuMeter, Figures, look_below, read_figures
from protocols.host.requests import HostConnection, HostRequest
from protocols.quality import Quality

LEAST_SPAN_S = 0.1
_MAY_BLOCK = frozenset({Source.DISK, Source.CONNECTIONS, Source.TEMPERATURE})


class HostSession:
    """Nothing is open, so nothing can break: a figure that can not be had costs its own request."""

    def __init__(self, connection: HostConnection, host_root: Path = OWN_ROOT) -> None:
        look_below(host_root)
        self._connection = connection
        self._host_root = host_root
        self._errands: Errands[Figures] = Errands()
        self._cpu = CpuMeter()
        self._cpu_read_at = asyncio.get_running_loop().time()
        self._cpu_figures: Figures = {}
        self._closed = False

    async def read(self, request: HostRequest, cycle: Cycle) -> None:
        """Fill in what the machine has; what it lacks is `bad_address`. Raises `RequestRefused`."""
        if self._closed:
            raise SessionLost(f"{self._connection.where}: the session is closed")
        figures = await self._figures(request)
        for tag, point in zip(request.tags, request.points, strict=True):
            figure = figures.get((point.address.item, point.address.figure))
            if figure is None:
                cycle.bad[tag] = Quality.BAD_ADDRESS
                continue
            try:
                cycle.values[tag] = point.value(figure)
            except (OverflowError, ValueError):
                cycle.bad[tag] = Quality.NOT_A_NUMBER

    async def write(self, write: object) -> None:
        """Nothing of the machine can be set."""
        raise Unwritable("not_writable", f"{self._connection.where} has figures to read and nothing to set")

    async def close(self) -> None:
        """Let go; there is nothing to be closed."""
        self._closed = True

    async def _figures(self, request: HostRequest) -> Figures:
        if request.source is Source.CPU:
            return await self._load()
        ask = partial(read_figures, request.source, request.item, self._host_root)
        try:
            if request.source in _MAY_BLOCK:
                return await self._errands.run(request.subject, ask, self._connection.timeout_s)
            return ask()
        except TimeoutError:
            waited = f"no answer within {self._connection.timeout_s:g} s; it is asked again when it has come back"
            raise RequestRefused(Quality.TIMEOUT, f"{request.subject}: {waited}") from None
        except OSError as error:
            reason = error.strerror or str(error)
            raise RequestRefused(Quality.DEVICE_ERROR, f"{request.subject}: {reason}") from None

    async def _load(self) -> Figures:
        """Two groups due at once share one reading, and the first one waits until there is a span to measure over."""
        loop = asyncio.get_running_loop()
        elapsed_s = loop.time() - self._cpu_read_at
        if elapsed_s < LEAST_SPAN_S:
            if self._cpu_figures:
                return self._cpu_figures
            await asyncio.sleep(LEAST_SPAN_S - elapsed_s)
        self._cpu_figures, self._cpu_read_at = self._cpu.read(), loop.time()
        return self._cpu_figures
