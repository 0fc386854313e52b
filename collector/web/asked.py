"""What a query may ask for: parameters that are checked where they come in, each with what is expected of it."""

from collections.abc import Callable
from datetime import tzinfo
from typing import Annotated

from fastapi import Depends, HTTPException, Query
from fastapi.exceptions import RequestValidationError
from pydantic import AfterValidator

from collector.web import times
from collector.web.catalogue import Catalogue, DeviceEntry, TagEntry
from fleet_client.document import Location

MAX_TAGS_ASKED = 200


def _checked(check: Callable[[str], object]) -> AfterValidator:
    def keep(text: str) -> str:
        check(text)
        return text

    return AfterValidator(keep)


def _moment(text: str) -> int:
    return times.moment_ms(text, times.LATEST_MS // 2, None)


DeviceId = Annotated[str, Query(max_length=256, description="The device's id in the document.")]
TagName = Annotated[str, Query(max_length=256, description="The tag's name.")]
Part = Annotated[str | None, Query(max_length=256)]
Time = Annotated[
    str,
    Query(description="now(), -1h, ISO, or ms since 1970."),
    _checked(_moment),
]
Day = Annotated[str, Query(description="20260107 or 2026-01-07, a day of the site."), _checked(times.day_of)]
Resolution = Annotated[
    str, Query(description="auto (at most max_points), raw, or a width such as 1m."), _checked(times.resolution_s)
]


def place(factory: Part = None, building: Part = None, floor: Part = None, zone: Part = None) -> Location:
    """A place; the parts that are left out are not asked for."""
    return Location(factory=factory, building=building, floor=floor, zone=zone)


At = Annotated[Location, Depends(place)]


def stretch(start_time: str, end_time: str, now_ms: int, zone: tzinfo | None) -> tuple[int, int]:
    """From and to, or 422: what is relative may lie within the years that are told only as seen from now."""
    return _moment_of("start_time", start_time, now_ms, zone), _moment_of("end_time", end_time, now_ms, zone)


def device(catalogue: Catalogue, device_id: str) -> DeviceEntry:
    """The device, or 404."""
    if (entry := catalogue.devices.get(device_id)) is None:
        raise HTTPException(404, f"there is no device {device_id!r}; /api/v1/devices has all")
    return entry


def tag(catalogue: Catalogue, device_id: str, name: str) -> TagEntry:
    """The tag, or 404."""
    entry = device(catalogue, device_id)
    if (found := entry.tags.get(name)) is None:
        raise HTTPException(404, f"device {device_id!r} has no tag {name!r}; /api/v1/tags has all")
    return found


def tags(
    catalogue: Catalogue, at: Location, device_id: str | None, name: str | None
) -> list[tuple[DeviceEntry, TagEntry]]:
    """The tags of a device or of a place, all of them or those of a name."""
    chosen = [device(catalogue, device_id)] if device_id is not None else catalogue.at(at)
    wanted = at.model_dump(exclude_none=True).items()
    return [
        (entry, found)
        for entry in chosen
        if all(getattr(entry.location, part) == there for part, there in wanted)
        for found in entry.tags.values()
        if name is None or found.name == name
    ]


def few(found: list[tuple[DeviceEntry, TagEntry]]) -> list[tuple[DeviceEntry, TagEntry]]:
    """So many as one answer may be made of, or 422."""
    if len(found) > MAX_TAGS_ASKED:
        raise wrong("device_id", f"{len(found)} tags are meant, at most {MAX_TAGS_ASKED} can be asked at once")
    return found


def _moment_of(field: str, text: str, now_ms: int, zone: tzinfo | None) -> int:
    try:
        return times.moment_ms(text, now_ms, zone)
    except ValueError as error:
        raise wrong(field, str(error)) from None


def wrong(field: str, reason: str, *, where: str = "query") -> RequestValidationError:
    """A 422 that names the field."""
    return RequestValidationError([{"type": "value_error", "loc": (where, field), "msg": reason, "input": None}])
