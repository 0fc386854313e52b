"""Devices, tags, places, and what the tags say now."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from fastapi import APIRouter
from starlette.responses import Response

from collector.clock import iso_utc
from collector.status.board import DeviceCondition
from collector.status.latest import Reading
from collector.web import answers, asked, situation
from collector.web.catalogue import Catalogue, Catalogues, DeviceEntry, TagEntry
from collector.web.limits import limits_of
from collector.web.rendering import Json, as_json, json_rows
from collector.web.sources import Alarm, Sources
from fleet_client.document import Location

NOT_FOUND = answers.refusals(404)
_WORST = frozenset({"low_low", "high_high"})


def live_routes(sources: Sources, catalogues: Catalogues) -> APIRouter:
    """All of them read only memory."""
    router = APIRouter(prefix="/api/v1", tags=["live"])

    @router.get("/devices", response_model=list[answers.Device], responses=NOT_FOUND)
    async def devices(at: asked.At, device_id: asked.DeviceId | None = None) -> Response:
        """The devices and how they do."""
        catalogue = await catalogues.now()
        chosen = [asked.device(catalogue, device_id)] if device_id is not None else catalogue.at(at)
        known = sources.board.devices
        return Json([situation.device(known[entry.id], entry) for entry in chosen if entry.id in known])

    @router.get("/tags", response_model=list[answers.Tag], responses=NOT_FOUND)
    async def tags(at: asked.At, device_id: asked.DeviceId | None = None) -> Response:
        """The tags that are polled, with address, unit and thresholds."""
        found = asked.tags(await catalogues.now(), at, device_id, None)
        return json_rows((_tag(sources, entry, tag) for entry, tag in found), len(found))

    @router.get("/realtime", response_model=list[answers.Value], responses=NOT_FOUND)
    @router.get("/metrics/current", response_model=list[answers.Value], responses=NOT_FOUND)
    async def realtime(
        at: asked.At, device_id: asked.DeviceId | None = None, tag: asked.TagName | None = None
    ) -> Response:
        """The newest values: of a device, of a place, of all; `tag` picks those of one name."""
        found = asked.tags(await catalogues.now(), at, device_id, tag)
        return json_rows(_values(sources, found), len(found))

    @router.get("/locations", include_in_schema=False)
    @router.get("/locations/", response_model=list[answers.Location])
    async def locations(at: asked.At) -> Response:
        """The places, and the devices at each."""
        return Json(_locations(sources, await catalogues.now(), at))

    return router


def _tag(sources: Sources, device: DeviceEntry, tag: TagEntry) -> answers.Tag:
    return answers.Tag(
        device.id,
        device.name,
        tag.name,
        tag.address,
        tag.expression,
        tag.data_type,
        tag.unit,
        tag.description,
        tag.interval_ms,
        limits_of(sources.alarms, device.id, tag),
    )


def _values(sources: Sources, tags: Iterable[tuple[DeviceEntry, TagEntry]]) -> Iterator[answers.Value]:
    now_ms = sources.clock.wall_ms()
    readings: dict[str, Mapping[str, Reading]] = {}
    levels = _levels(() if sources.alarms is None else sources.alarms.active())
    for device, tag in tags:
        if device.id not in readings:
            readings[device.id] = sources.latest.of(device.id)
        reading = readings[device.id].get(tag.name)
        watched = sources.alarms is not None and sources.alarms.thresholds(device.id, tag.name) is not None
        level = levels.get((device.id, tag.name), "normal" if watched or tag.thresholds else None)
        yield _value(device, tag, reading, level, now_ms)


def _levels(alarms: Iterable[Alarm]) -> dict[tuple[str, str | None], str]:
    """The worst level that holds, by device and tag."""
    held = sorted((alarm for alarm in alarms if alarm.left_ms is None), key=lambda alarm: alarm.level in _WORST)
    return {(alarm.device_id, alarm.tag): alarm.level for alarm in held}


def _value(
    device: DeviceEntry, tag: TagEntry, reading: Reading | None, level: str | None, now_ms: int
) -> answers.Value:
    if reading is None:
        return answers.Value(device.id, device.name, tag.name, None, tag.unit, "no_value", None, None, level)
    return answers.Value(
        device.id,
        device.name,
        tag.name,
        as_json(reading.value),
        tag.unit,
        "good" if reading.quality is None else reading.quality.value,
        iso_utc(reading.stamp_ms),
        max(0, now_ms - reading.stamp_ms) / 1000,
        level,
    )


def _locations(sources: Sources, catalogue: Catalogue, at: Location) -> list[answers.Location]:
    there: defaultdict[tuple[str | None, ...], list[DeviceEntry]] = defaultdict(list)
    for device in catalogue.at(at):
        place = device.location
        there[place.factory, place.building, place.floor, place.zone].append(device)
    return [
        answers.Location(
            answers.Place(*parts),
            [device.id for device in devices],
            sum(len(device.tags) for device in devices),
            sum(_online(sources, device) for device in devices),
        )
        for parts, devices in there.items()
    ]


def _online(sources: Sources, device: DeviceEntry) -> bool:
    state = sources.board.devices.get(device.id)
    return state is not None and state.known and state.condition is DeviceCondition.ONLINE
