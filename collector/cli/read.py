"""`edge-collector read`: a test read of a few addresses, with everything that their bytes can mean."""

import asyncio
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from rich.console import Console
from rich.markup import escape
from rich.text import Text

from collector.cli.connecting import connection_of
from collector.cli.decodings import ORDERS, TYPES, Decoding, as_bytes, decodings, hex_words, is_plausible, texts
from protocols import registry
from protocols.base import ByteOrder, Connection, Cycle, DataType, PlcDriver, PlcSession, TagSpec, Value
from protocols.datatypes import parse_data_type
from protocols.errors import Refused, RequestRefused, SessionError
from protocols.layout import WIDTHS
from protocols.opcua.addresses import parse_address
from protocols.opcua.driver import OpcUaDriver

if TYPE_CHECKING:
    from protocols.opcua.session import OpcUaSession

EXIT_SOME_NOT_READ = 1
EXIT_NOT_ASKED = 2

_WORDS_READ = (4, 2, 1)
_SAYS_ITS_TYPES = ("host",)
_WITHOUT_REGISTERS = (DataType.BOOL, DataType.STRING, DataType.WSTRING, DataType.FLOAT64)
_COUNTED = re.compile(r"(?P<before>[^=]*?)(?P<number>\d+)(?P<bit>\.\d+)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Asked:
    """An address as it was typed, the type it is believed to have, and of a STRING how many bytes."""

    address: str
    data_type: DataType | None
    length: int | None = None


def read_addresses(
    protocol: str,
    fields: Mapping[str, object],
    typed: Sequence[str],
    timeout_s: float,
    console: Console,
    state_folder: Path | None = None,
) -> int:
    """Read and show; returns the exit status: 0 all were read, 1 some were not, 2 nothing could be asked.

    Certificates are in `state_folder`.
    """
    try:
        driver = registry.driver(protocol, state_folder)
        connection = connection_of(driver.connection, fields, timeout_s)
        asked = [parse_asked(each) for each in typed]
        return asyncio.run(_read(driver, connection, asked, console))
    except Refused as refusal:
        console.print(f"[red]{escape(refusal.field)}:[/] {escape(str(refusal))}")
    except SessionError as error:
        console.print(f"[red]no answer:[/] {escape(str(error))}")
    return EXIT_NOT_ASKED


def parse_asked(typed: str) -> Asked:
    """``40001``, ``40001:FLOAT32``, ``40010:STRING:16``; what is no type belongs to the address."""
    head, colon, last = typed.rpartition(":")
    address, _, word = head.rpartition(":")
    if address and last.isascii() and last.isdigit() and (data_type := _type(word)) is not None:
        return Asked(address, data_type, int(last))
    if colon and (data_type := _type(last)) is not None:
        return Asked(head, data_type)
    return Asked(typed, None)


def neighbour(address: str, step: int) -> str | None:
    """The address beside it, written the same way; None where it does not end in a number that can be counted on."""
    found = _COUNTED.fullmatch(address)
    if found is None or found["bit"] or int(found["number"]) + step < 0:
        return None
    width = len(found["number"]) if found["number"].startswith("0") else 0
    return f"{found['before']}{int(found['number']) + step:0{width}d}"


def _type(word: str) -> DataType | None:
    try:
        return parse_data_type(word)
    except Refused:
        return None


async def _read(driver: PlcDriver, connection: Connection, asked: Sequence[Asked], console: Console) -> int:
    session = await driver.connect(connection)
    try:
        reader = _Reader(driver, connection, session, console)
        read = [await reader.show(each) for each in asked]
    finally:
        await session.close()
    return 0 if all(read) else EXIT_SOME_NOT_READ


class _Reader:
    """Asks for one address at a time, so that a refused one costs the others nothing."""

    def __init__(self, driver: PlcDriver, connection: Connection, session: PlcSession, console: Console) -> None:
        self._driver = driver
        self._connection = connection
        self._session = session
        self._console = console

    async def show(self, asked: Asked) -> bool:
        """Whether it could be read."""
        try:
            if self._driver.protocol == OpcUaDriver.protocol:
                return await self._show_told(asked)
            typed = self._driver.protocol in _SAYS_ITS_TYPES
            raw = None if typed else await self._raw(asked.address, _words(asked))
            if raw is None:
                return await self._show_plainly(asked)
        except (Refused, RequestRefused) as refusal:
            self._console.print(f"[bold]{escape(asked.address)}[/]  [red]{escape(str(refusal))}[/]")
            return False
        self._console.print(f"[bold]{escape(asked.address)}[/]  {hex_words(raw)}")
        self._print(_lines([("", decoding) for decoding in decodings(raw)], asked.data_type))
        for way, text in texts(raw).items():
            self._console.print(f"  {way}: {escape(repr(text))}", highlight=False)
        if asked.data_type not in (None, *TYPES):
            await self._show_as_believed(asked)
        await self._show_neighbours(asked)
        return True

    async def _show_as_believed(self, asked: Asked) -> None:
        """What no table has: a date, a time, a bit, a text with a header, the contact of a timer."""
        try:
            value, quality = await self._value(self._plain(asked))
        except (Refused, RequestRefused) as refusal:
            value, quality = None, str(refusal)
            if asked.data_type is DataType.STRING and asked.length is None:
                quality = f"a STRING needs its length in bytes; write {asked.address}:STRING:16 for 16 of them"
        shown = f"[red]{escape(quality)}[/]" if value is None else f"[bold]{escape(repr(value))}[/]"
        self._console.print(f"  as {asked.data_type}: {shown}", highlight=False)

    async def _show_neighbours(self, asked: Asked) -> None:
        """An address that is one off is the commonest mistake of all."""
        wanted = DataType.UINT16 if asked.data_type in (None, DataType.STRING, DataType.BOOL) else asked.data_type
        rows: list[tuple[str, Decoding]] = []
        for step in (-1, 1):
            beside = neighbour(asked.address, step)
            if beside is None:
                continue
            try:
                raw = await self._raw(beside, max(1, -(-WIDTHS[wanted] // 2)))
            except (Refused, RequestRefused):
                continue
            rows += [] if raw is None else [(beside, each) for each in decodings(raw) if each.data_type is wanted]
        if rows:
            self._print(_lines(rows, None))

    def _print(self, lines: Iterable[Text]) -> None:
        for line in lines:
            self._console.print(line, highlight=False)

    async def _show_told(self, asked: Asked) -> bool:
        """A node says itself what type its value has, how good it is and of when."""
        session = cast("OpcUaSession", self._session)
        told = await session.look(parse_address(asked.address), self._connection.timeout_s)
        shown = (repr(told.value), "") if told.value is not None else (str(told.quality), "red")
        line = Text.assemble((asked.address, "bold"), "  ", shown)
        for detail in (told.data_type, told.status, told.source_timestamp):
            line.append(f"  {detail}" if detail else "", "dim")
        self._console.print(line, highlight=False)
        return told.value is not None

    async def _show_plainly(self, asked: Asked) -> bool:
        """What is not in registers: a bit, or a value of a device that says its types itself."""
        try:
            value, quality = await self._value(self._plain(asked))
        except RequestRefused as refusal:
            value, quality = None, str(refusal)
        shown = f"[red]{escape(quality)}[/]" if value is None else escape(repr(value))
        self._console.print(f"[bold]{escape(asked.address)}[/]  {shown}")
        return value is not None

    def _plain(self, asked: Asked) -> TagSpec:
        tag = TagSpec("read", asked.address, asked.data_type or DataType.BOOL, length=asked.length)
        if asked.data_type is not None:
            return tag
        for data_type in _WITHOUT_REGISTERS:
            tag = replace(tag, data_type=data_type)
            with suppress(Refused):
                self._driver.point(tag, self._connection)
                break
        return tag

    async def _raw(self, address: str, words: int) -> bytes | None:
        """Up to so many registers from an address, fewer where the device has no more; None where there are none.

        Raises what a read of a single one raises.
        """
        for count in (words, *(fewer for fewer in _WORDS_READ if fewer < words)):
            length = None if count == 1 else count
            tag = TagSpec("raw", address, DataType.UINT16, ByteOrder.ABCD, length=length)
            try:
                value, _ = await self._value(tag)
            except RequestRefused:
                if count == 1:
                    raise
                continue
            except Refused as refusal:
                if refusal.field == "data_type" or (refusal.field == "length" and count == 1):
                    return None
                if count == 1:
                    raise
                continue
            words_read = value if isinstance(value, list) else [value]
            return as_bytes(words_read) if all(_is_word(word) for word in words_read) else None
        raise AssertionError("one register is always tried")

    async def _value(self, tag: TagSpec) -> tuple[Value | None, str]:
        cycle = Cycle([None])
        for request in self._driver.compile(self._connection, [self._driver.point(tag, self._connection)]):
            await self._session.read(request, cycle)
        return cycle.values[0], str(cycle.bad.get(0, ""))


def _is_word(value: Value | None) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 16


def _words(asked: Asked) -> int:
    return max(_WORDS_READ[0], -(-(asked.length or 0) // 2))


def _lines(rows: Sequence[tuple[str, Decoding]], believed: DataType | None) -> Iterator[Text]:
    """A table in its full width: a number that is cut is worse than a line that wraps."""
    cells = [("", "type", *map(str, ORDERS))]
    cells += [(address, each.data_type.value, *(_shown(each, order) for order in ORDERS)) for address, each in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    styles = [("dim",) * len(widths)]
    styles += [("", "", *(_style(each, order, believed) for order in ORDERS)) for _, each in rows]
    for row, row_styles in zip(cells, styles, strict=True):
        line = Text("  ")
        for cell, width, style in zip(row, widths, row_styles, strict=True):
            line.append(cell.ljust(width + 2 if width else 0), style)
        line.rstrip()
        yield line


def _shown(decoding: Decoding, order: ByteOrder) -> str:
    return repr(decoding.values[order]) if order in decoding.values else "-"


def _style(decoding: Decoding, order: ByteOrder, believed: DataType | None) -> str:
    if order not in decoding.values or not is_plausible(decoding.values[order]):
        return "dim"
    return "bold" if decoding.data_type is believed else ""
