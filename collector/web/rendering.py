"""How an answer is written: dataclasses as JSON, or a table as CSV that a spreadsheet takes for nothing but data."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from itertools import islice

import orjson
from fastapi import Response
from fastapi.responses import StreamingResponse
from pydantic import JsonValue

from protocols.base import Value

ROWS_AT_ONCE = 2_000
LARGEST_EXACT = 2**53 - 1
"""Of integers as JavaScript reads them."""


class Json(Response):
    """Any dataclass, list or mapping."""

    media_type = "application/json"

    def render(self, content: object) -> bytes:
        return orjson.dumps(content)


def json_rows(rows: Iterable[object], count: int) -> Response:
    """A list of `count` rows. A long one is written in pieces, so that in between the loop does what it is for."""
    if count <= ROWS_AT_ONCE:
        return Json(list(rows))
    return StreamingResponse(_pieces(iter(rows)), media_type="application/json")


async def _pieces(rows: Iterator[object]) -> AsyncIterator[bytes]:
    before = b"["
    while piece := list(islice(rows, ROWS_AT_ONCE)):
        yield before + orjson.dumps(piece)[1:-1]
        before = b","
        await asyncio.sleep(0)
    yield b"]"


class Csv(Response):
    """A table, its head first. With a byte order mark: spreadsheets guess the encoding otherwise."""

    media_type = "text/csv; charset=utf-8"

    def __init__(self, head: Sequence[str], rows: Iterable[Sequence[object]], filename: str) -> None:
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(head)
        writer.writerows([_cell(value) if type(value) is str else value for value in row] for row in rows)
        headers = {"Content-Disposition": f'attachment; filename="{filename}"'}
        super().__init__(("\ufeff" + text.getvalue()).encode(), headers=headers)


def _cell(text: str) -> str:
    """A text that a spreadsheet would take for a formula is set in an apostrophe's care."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def as_json(value: Value | None) -> JsonValue:
    """A tag's value is JSON by its nature; but JavaScript rounds integers beyond 2^53, so these are texts."""
    if isinstance(value, list):
        return [as_json(each) for each in value]
    return str(value) if isinstance(value, int) and abs(value) > LARGEST_EXACT else value


def as_figure(figure: int | float | None) -> float | None:
    """A figure to draw; of integers that are too large for JSON's 64 bits as many digits as a float has."""
    return float(figure) if isinstance(figure, int) and abs(figure) > LARGEST_EXACT else figure
