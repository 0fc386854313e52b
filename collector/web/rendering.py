"""How an answer is written: dataclasses as JSON, or a table as CSV that a spreadsheet takes for nothing but data."""

import csv
import io
from collections.abc import Iterable, Sequence

import orjson
from fastapi import Response
from pydantic import JsonValue

from protocols.base import Value


class Json(Response):
    """Any dataclass, list or mapping."""

    media_type = "application/json"

    def render(self, content: object) -> bytes:
        return orjson.dumps(content)


class Csv(Response):
    """A table, its head first. With a byte order mark: spreadsheets guess the encoding otherwise."""

    media_type = "text/csv; charset=utf-8"

    def __init__(self, head: Sequence[str], rows: Iterable[Sequence[object]], filename: str) -> None:
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(head)
        writer.writerows([_cell(value) for value in row] for row in rows)
        headers = {"Content-Disposition": f'attachment; filename="{filename}"'}
        super().__init__(("\ufeff" + text.getvalue()).encode(), headers=headers)


def _cell(value: object) -> object:
    """A text that a spreadsheet would take for a formula is set in an apostrophe's care."""
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value


def as_json(value: Value | None) -> JsonValue:
    """A tag's value is JSON by its nature; only its type does not say so."""
    return [as_json(each) for each in value] if isinstance(value, list) else value
