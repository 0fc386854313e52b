"""An MQTT 3.1.1 broker within this process, for trying things out where no real one is at hand."""

import asyncio
import logging
from types import TracebackType
from typing import TYPE_CHECKING, Self

from simulators.door import Door

if TYPE_CHECKING:
    from amqtt.broker import Broker

_LISTENER = "default"
_CONFIG = {
    "listeners": {_LISTENER: {"type": "external"}},
    "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
}


class EmbeddedBroker:
    """``async with EmbeddedBroker() as broker`` listens on ``broker.port``; `stop` and `start` make an outage.

    It takes anybody, keeps nothing over a stop, closes on MQTT 5, and does not notice a client that falls silent:
    for trials, not for a plant.
    """

    def __init__(self, *, host: str = "127.0.0.1", port: int = 0) -> None:
        # amqtt's own listener lets clients in again while it shuts down, and then waits for them for ever
        self._door = Door(self._serve, host=host, port=port)
        self._broker: Broker | None = None

    @property
    def port(self) -> int:
        """Where it listens; the same over `stop` and `start`."""
        return self._door.port

    @property
    def url(self) -> str:
        """``mqtt://127.0.0.1:PORT``, what `MQTT_BROKER_URL` wants."""
        host = f"[{self._door.host}]" if ":" in self._door.host else self._door.host
        return f"mqtt://{host}:{self.port}"

    @property
    def running(self) -> bool:
        """Whether clients can connect."""
        return self._door.is_open

    async def start(self) -> None:
        """Listen; on the same port as before, after a stop.

        Raises `OSError` when the port is taken, `RuntimeError` when amqtt is not installed.
        """
        if self._broker is not None:
            return
        broker = _new_broker()
        await broker.start()
        try:
            self._door.open()
        except OSError:
            await broker.shutdown()
            raise
        self._broker = broker

    async def stop(self) -> None:
        """Close every connection, listen no more."""
        broker, self._broker = self._broker, None
        self._door.shut()
        if broker is not None:
            await broker.shutdown()
        await self._door.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from amqtt.adapters import StreamReaderAdapter, StreamWriterAdapter

        if self._broker is not None:
            client = StreamReaderAdapter(reader), StreamWriterAdapter(writer)
            await self._broker.external_connected(*client, _LISTENER)


def _new_broker() -> "Broker":
    try:
        from amqtt.broker import Broker
    except ImportError as error:
        raise RuntimeError(
            f"the embedded broker needs the package amqtt ({error}): pip install edge-collector[demo]"
        ) from error
    for chatty in ("amqtt", "transitions"):
        logging.getLogger(chatty).setLevel(logging.CRITICAL)
    return Broker(_CONFIG)
