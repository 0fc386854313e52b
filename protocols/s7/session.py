"""One session with an S7 CPU: python-snap7's async client over a wire of our own."""

import asyncio
import struct
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

from snap7.async_client import AsyncClient
from snap7.datatypes import S7Area, S7WordLen
from snap7.error import S7Error, S7ProtocolError
from snap7.s7protocol import S7Protocol

from protocols.base import Connection, Cycle
from protocols.errors import BadAnswer, NoAnswer, RequestRefused, SessionError
from protocols.overhearing import FrameListener
from protocols.s7.connection import LEAST_PDU, S7Connection
from protocols.s7.frames import OK, SETUP, WRITE, read_items, read_message
from protocols.s7.refusals import item_refusal, message_refusal
from protocols.s7.requests import Message, S7Request
from protocols.s7.wire import S7Wire
from protocols.s7.writes import S7Write
from protocols.tcp import dial

if TYPE_CHECKING:
    from snap7.async_client import AsyncISOTCPConnection


class _ItemwiseProtocol(S7Protocol):
    """Leaves the items of an answer alone: the library would give up all of them for one that was refused."""

    def _parse_data_section(self, data_section: bytes, *, validate_length: bool = True) -> dict[str, Any]:
        return {}


@dataclass(frozen=True, slots=True)
class _Answer:
    parameters: bytes
    data: bytes


class S7Session:
    """One question at a time. The greatest message that the CPU grants is asked for when it opens, and kept to."""

    def __init__(self, connection: S7Connection, wire: S7Wire) -> None:
        self._connection = connection
        self._wire = wire
        self._client = AsyncClient()
        self._client.protocol = _ItemwiseProtocol()
        self._client.connection = cast("AsyncISOTCPConnection", wire)
        self.pdu = connection.pdu

    @classmethod
    async def open(cls, connection: S7Connection) -> "S7Session":
        """Connect and negotiate, all within `connection.timeout_s`. Raises `SessionError`."""
        began = asyncio.get_running_loop().time()
        wire = await dial(connection.host, connection.port, connection.timeout_s, lambda: S7Wire(connection))
        session = cls(connection, wire)
        try:
            async with asyncio.timeout_at(began + connection.timeout_s):
                await wire.handshake()
                await session._negotiate()
        except TimeoutError:
            await wire.close()
            raise NoAnswer(
                f"{connection.where} took the connection, but did not speak S7 within {connection.timeout_s:g} s"
            ) from None
        except BaseException:  # also a cancellation: nobody else knows of the wire yet
            await wire.close()
            raise
        return session

    def granted(self, connection: Connection) -> Connection:
        """The connection with the PDU that the CPU granted, if that is less; see `protocols.base.Negotiated`."""
        if not isinstance(connection, S7Connection) or connection.pdu <= self.pdu:
            return connection
        return replace(connection, pdu=self.pdu)

    async def read(self, request: S7Request, cycle: Cycle) -> None:
        """Carry out one read; see `protocols.base.Session.read`. What was granted is read, whatever was refused."""
        blocks = [bytearray(part.item.byte_count) for part in request.parts]
        refused: dict[int, int] = {}
        for message in request.messages_for(self.pdu):
            for (position, item), found in zip(message.pieces, await self._items(request, message), strict=True):
                if isinstance(found, int):
                    refused.setdefault(position, found)
                    continue
                first = request.parts[position].item
                at = (item.start - first.start) * (first.byte_count // first.size)
                blocks[position][at : at + len(found)] = found
        request.decoder.decode(b"".join(blocks), cycle)
        if refused:
            raise _refusal(request, refused, cycle)

    async def write(self, write: S7Write) -> None:
        """Carry out one write; see `protocols.base.Session.write`."""
        question = self._client.protocol.build_write_request(
            S7Area(write.item.area), write.item.db, write.start, S7WordLen(write.element), write.data
        )
        if len(question) > self.pdu:
            message = f"{write.subject}: a write of {len(write.data)} bytes is more than the CPU takes at once"
            raise message_refusal(message, 0x8500)
        answer = await self._ask(question, write.subject, write.timeout_s)
        if answer.parameters != bytes([WRITE, 1]) or len(answer.data) != 1:
            raise self._ended(BadAnswer(f"{self._connection.where} {write.subject}: the answer is to no write"))
        if answer.data[0] != OK:
            raise item_refusal(self._connection.where, write.item, answer.data[0])

    def overhear(self, listener: FrameListener | None) -> None:
        """See `protocols.overhearing.Overheard`."""
        self._wire.overhear(listener)

    async def close(self) -> None:
        """Drop the connection, whatever is still on its way."""
        await self._wire.close()

    async def _negotiate(self) -> None:
        where, asked = self._connection.where, self._connection.pdu
        question = self._client.protocol.build_setup_communication_request(pdu_length=asked)
        try:
            answer = await self._ask(question, "the size of messages", self._connection.timeout_s)
        except RequestRefused as refusal:
            raise BadAnswer(str(refusal)) from None
        if len(answer.parameters) != 8 or answer.parameters[0] != SETUP:
            raise BadAnswer(f"{where}: the answer is to no negotiation")
        (granted,) = struct.unpack_from(">H", answer.parameters, 6)
        if granted < LEAST_PDU:
            raise BadAnswer(f"{where} grants messages of {granted} bytes; {LEAST_PDU} or more are needed")
        self.pdu = min(granted, asked)

    async def _items(self, request: S7Request, message: Message) -> list[bytes | int]:
        question = read_message(self._client.protocol._next_sequence(), message.parameters)
        answer = await self._ask(question, request.asked, request.timeout_s)
        try:
            return read_items(answer.parameters, answer.data, [item for _, item in message.pieces])
        except BadAnswer as error:
            raise self._ended(BadAnswer(f"{request.where} {request.asked}: {error}")) from None

    async def _ask(self, question: bytes, asked: str, timeout_s: float) -> _Answer:
        """Have the library send a question and take its answer apart; its errors become ours here."""
        where = self._connection.where
        try:
            async with asyncio.timeout(timeout_s):
                answer = await self._client._send_receive(question)
        except TimeoutError:
            raise NoAnswer(f"{where} did not answer {asked} within {timeout_s:g} s") from None
        except S7ProtocolError as error:
            if error.error_code:
                raise message_refusal(f"{where} {asked}", error.error_code) from None
            raise self._ended(BadAnswer(f"{where} {asked}: {error}")) from None
        except (S7Error, struct.error, IndexError) as error:  # what the library makes of bytes that are no answer
            raise self._ended(BadAnswer(f"{where} {asked}: {error}")) from None
        return _Answer(answer.get("raw_parameters", b""), answer.get("raw_data", b""))

    def _ended(self, error: SessionError) -> SessionError:
        self._wire.end(error)
        return error


def _refusal(request: S7Request, refused: Mapping[int, int], cycle: Cycle) -> RequestRefused:
    """Give every tag of a refused part its quality, and say which are to be dealt with first: those that are certain.

    The rest of them follow in the next cycles, when these are avoided.
    """
    for position, code in refused.items():
        part = request.parts[position]
        for tag in part.tags:
            cycle.values[tag] = None
            cycle.bad[tag] = item_refusal(request.where, part.item, code).quality
    alone = [position for position in refused if len(request.parts[position].tags) == 1]
    first = (alone or list(refused))[0]
    code = refused[first]
    alike = [position for position in alone if refused[position] == code] or [first]
    tags = tuple(tag for position in alike for tag in request.parts[position].tags)
    refusal = item_refusal(request.where, request.parts[first].item, code, tags)
    refusal.whole = refusal.isolate and len(alike) > 1
    return refusal
