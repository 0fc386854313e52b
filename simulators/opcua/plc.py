"""An OPC-UA server: asyncua's, behind a door of ours that can be shut."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

from asyncua import Server, ua
from asyncua.common.callback import CallbackType, ServerItemCallback

from simulators.address import listen
from simulators.door import Door
from simulators.opcua.faults import Faults
from simulators.opcua.layout import NAMESPACE, NAMESPACE_INDEX, Node
from simulators.signals import Moment, SignalValue

TICK_S = 0.1
_CHUNK = 65_536


class OpcUaPlc:
    """``async with OpcUaPlc(layout) as plc`` listens on ``plc.port`` until the block ends; starting takes a second.

    Open to anybody, without security. Values follow their signals every 0.1 s; a written setpoint stays, clamped to
    its limits at once. `writes` are the paths that clients asked to write. `faults` spoils it. `clock` gives
    monotonic seconds, which drive the signals.
    """

    def __init__(
        self,
        layout: Sequence[Node],
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.faults = Faults()
        self.writes: list[str] = []
        self._layout = layout
        self._clock = clock
        self._started = clock()
        self._frozen_s = 0.0
        self._server: Server
        self._inner_port = 0
        self._open = 0
        self._running = False
        self._ticking: asyncio.Task[None] | None = None
        self._door = Door(self._pass_on, host=host, port=port)
        self.faults.on_change = self._live_or_die

    @property
    def host(self) -> str:
        """Where it listens."""
        return self._door.host

    @property
    def port(self) -> int:
        """Where it listens; the same over ``faults.dead``."""
        return self._door.port

    @property
    def url(self) -> str:
        """``opc.tcp://127.0.0.1:4840``."""
        return f"opc.tcp://{self.host}:{self.port}"

    @property
    def open_connections(self) -> int:
        """How many clients are connected now."""
        return self._open

    async def peek(self, path: str) -> Any:
        """A node's value as it is now."""
        return await self._server.get_node(_id(path)).read_value()

    async def renew(self) -> None:
        """Give every node what its signal says now, as happens every 0.1 s unless ``faults.frozen``."""
        for node in self._layout:
            await self._server.write_attribute_value(_id(node.path), await self._data_value(node))

    async def __aenter__(self) -> Self:
        logging.getLogger("asyncua").setLevel(logging.CRITICAL + 1)  # each client that goes away is an error to it
        with listen("127.0.0.1", 0) as claimed:
            self._inner_port = int(claimed.getsockname()[1])
        self._server = Server()
        await self._server.init()
        self._server.set_server_name("Filling line")
        self._server.set_endpoint(f"opc.tcp://127.0.0.1:{self._inner_port}")
        self._server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
        await self._fill()
        self._server.subscribe_server_callback(CallbackType.PostWrite, self._written)
        await self._server.start()
        try:
            self._door.open()
        except OSError:
            await self._server.stop()
            raise
        self._running = True
        self._ticking = asyncio.create_task(self._tick())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running = False
        if self._ticking is not None:
            self._ticking.cancel()
            await asyncio.gather(self._ticking, return_exceptions=True)
        await self._door.close()
        await self._server.stop()

    async def _fill(self) -> None:
        index = await self._server.register_namespace(NAMESPACE)
        if index != NAMESPACE_INDEX:
            raise RuntimeError(f"the line's namespace got index {index}; its addresses say {NAMESPACE_INDEX}")
        machines: dict[str, Any] = {}
        for node in self._layout:
            machine, _, name = node.path.partition(".")
            if machine not in machines:
                machines[machine] = await self._server.nodes.objects.add_object(_id(machine), _name(machine))
            variable = await machines[machine].add_variable(_id(node.path), _name(name), self._variant(node))
            if node.setpoint is not None:
                await variable.set_writable()

    async def _written(self, call: ServerItemCallback, _service: object) -> None:
        """A client's write, whatever came of it: what the line makes of it is there before the client is answered."""
        if not call.is_external:
            return
        paths = [str(asked.NodeId.Identifier) for asked in call.request_params.NodesToWrite]
        self.writes += paths
        for node in self._layout:
            if node.path in paths and node.setpoint is not None:
                await self._server.write_attribute_value(_id(node.path), await self._data_value(node))

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            if self.faults.frozen:
                self._frozen_s += TICK_S
                continue
            await self.renew()

    async def _data_value(self, node: Node) -> ua.DataValue:
        variant = self._variant(node)
        if node.setpoint is not None:
            written: SignalValue = await self.peek(node.path)
            variant = _as(node.kind, node.setpoint.clamp(written))
        return ua.DataValue(variant, self._status(), SourceTimestamp=_now())

    def _status(self) -> ua.StatusCode:
        if self.faults.bad:
            return ua.StatusCode(ua.UInt32(ua.StatusCodes.BadSensorFailure))
        if self.faults.uncertain:
            return ua.StatusCode(ua.UInt32(ua.StatusCodes.UncertainLastUsableValue))
        return ua.StatusCode()

    def _variant(self, node: Node) -> ua.Variant:
        moment = Moment(self._clock() - self._started - self._frozen_s, 0)
        values = [signal.at(moment) for signal in node.signals]
        return _as(node.kind, values if len(values) > 1 else values[0])

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self._inner_port)
        self._open += 1
        ways = [
            asyncio.create_task(self._carry(reader, server_writer, answers=False)),
            asyncio.create_task(self._carry(server_reader, writer, answers=True)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._open -= 1
            for way in ways:
                way.cancel()
            server_writer.transport.abort()
            await asyncio.gather(*ways, return_exceptions=True)

    async def _carry(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, answers: bool) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await source.read(_CHUNK):
                if answers and self.faults.slow_s:
                    await asyncio.sleep(self.faults.slow_s)
                if not (answers and self.faults.silent):
                    sink.write(data)
                    await sink.drain()

    def _live_or_die(self) -> None:
        if not self._running:
            return
        if self.faults.dead:
            self._door.shut()
            self._door.drop()
        else:
            self._door.open()


def _as(kind: str, value: Any) -> ua.Variant:
    variant_type = ua.VariantType[kind]
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = float(value) if kind in ("Float", "Double") else int(value)
    return ua.Variant(value, variant_type)


def _id(path: str) -> ua.NodeId:
    return ua.NodeId(ua.String(path), ua.Int16(NAMESPACE_INDEX))


def _name(text: str) -> ua.QualifiedName:
    return ua.QualifiedName(ua.String(text), ua.UInt16(NAMESPACE_INDEX))


def _now() -> Any:
    return datetime.now(UTC)
