"""The bodies of the data and responses topics."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Literal, TypeAlias

from fleet_client.encoding import encoded

ResponseStatus: TypeAlias = Literal["success", "rejected", "expired", "error"]

_META = b'},"meta":{"epoch":'  # quotes inside a JSON string are escaped, so this stands before a real meta only


@dataclass(frozen=True, slots=True)
class DataMeta:
    """A data message's own account of itself.

    ``epoch`` and ``seq`` identify it; ``quality`` names what is not good; ``clock`` is ``unsynced`` or None;
    ``part`` is (number from 1, of how many) where a cycle was split.
    """

    epoch: str
    seq: int
    quality: Mapping[str, str] | None = None
    clock: str | None = None
    part: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """How a command ended. ``id_key`` is the key its id came under; the error's two parts are None on success."""

    command_id: str | int | None
    id_key: str | None
    command: str | None
    status: ResponseStatus
    result: Mapping[str, object]
    error_code: str | None
    error_message: str | None
    timestamp: str
    duration_ms: int


def data_body(
    timestamp: str,
    equipment_id: int | str | None,
    connection_id: int | str,
    tags: Mapping[str, object],
    meta: DataMeta | None,
) -> bytes:
    """A data message's payload; with ``meta`` it can be given to `mark_buffered`.

    ``tags`` holds bool, int, float, str and lists of these. A None, NaN or infinity that slips in is left out and
    gets the quality ``no_value`` or ``not_a_number``, for nothing of the kind may be sent.
    """
    payload = encoded(_data(timestamp, equipment_id, connection_id, tags, meta))
    if b"null" in payload and (empty := _empty_tags(tags)):
        tags = {name: value for name, value in tags.items() if name not in empty}
        if meta is not None:
            quality = {**empty, **(meta.quality or {})}
            meta = DataMeta(meta.epoch, meta.seq, quality, meta.clock, meta.part)
        payload = encoded(_data(timestamp, equipment_id, connection_id, tags, meta))
    return payload


def mark_buffered(payload: bytes) -> bytes:
    """The payload of a data message that was on the disk before it was sent. Without a meta it stays as it is."""
    if _META not in payload:
        return payload
    return payload[:-2] + b',"buffered":true}}'


def response_body(response: Response) -> bytes:
    """A response's payload, its id also under the key the command had it under."""
    code, message = response.error_code, response.error_message
    body: dict[str, object] = {
        "command_id": response.command_id,
        "command": response.command,
        "status": response.status,
        "result": response.result,
        "error": None if code is None else {"code": code, "message": message or ""},
        "timestamp": response.timestamp,
        "duration_ms": response.duration_ms,
    }
    if response.id_key is not None:
        body.setdefault(response.id_key, response.command_id)
    return encoded(body)


def _data(
    timestamp: str,
    equipment_id: int | str | None,
    connection_id: int | str,
    tags: Mapping[str, object],
    meta: DataMeta | None,
) -> dict[str, object]:
    body: dict[str, object] = {"timestamp": timestamp}
    if equipment_id is not None:
        body["equipment_id"] = equipment_id
    body["connection_id"] = connection_id
    body["tags"] = tags
    if meta is not None:
        body["meta"] = _meta(meta)
    return body


def _meta(meta: DataMeta) -> dict[str, object]:
    body: dict[str, object] = {"epoch": meta.epoch, "seq": meta.seq}
    if meta.quality:
        body["quality"] = meta.quality
    if meta.clock is not None:
        body["clock"] = meta.clock
    if meta.part is not None:
        body["part"] = meta.part
    return body


def _empty_tags(tags: Mapping[str, object]) -> dict[str, str]:
    """The tags that hold nothing that can be sent, and what is wrong with them."""
    qualities = ((name, _emptiness(value)) for name, value in tags.items())
    return {name: quality for name, quality in qualities if quality}


def _emptiness(value: object) -> str:
    match value:
        case None:
            return "no_value"
        case float():
            return "" if isfinite(value) else "not_a_number"
        case list() | tuple():
            return next((found for found in map(_emptiness, value) if found), "")
        case _:
            return ""
