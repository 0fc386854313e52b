"""Alarms and thresholds: the only things that can be changed here."""

from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from collector.alarms.errors import ThresholdsRefused, UnknownAlarm
from collector.config.plan import Thresholds
from collector.web import answers, asked, sources
from collector.web.catalogue import Catalogue, Catalogues
from collector.web.limits import as_limits
from collector.web.rendering import Json, as_figure
from collector.web.situation import iso

OFF = "this collector watches over no alarms"
BY_PAGE = "page"
_REFUSED = answers.refusals(401, 403, 404)
Number = Annotated[float, Field(allow_inf_nan=False)]
Distance = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class ThresholdsSent(BaseModel):
    """The limits of one tag, in its unit. What is left out is not watched."""

    model_config = ConfigDict(extra="forbid")

    device_id: Annotated[str, Field(max_length=256)]
    tag: Annotated[str, Field(max_length=256)]
    low_low: Number | None = None
    low: Number | None = None
    high: Number | None = None
    high_high: Number | None = None
    hysteresis: Distance = 0.0
    delay_sec: Annotated[Distance, Field(le=86_400)] = 0.0


def alarm_routes(page: sources.Sources, catalogues: Catalogues) -> APIRouter:
    """Reading is as free as the rest; the `Guard` lets only the token change anything."""
    router = APIRouter(prefix="/api/v1", tags=["alarms"])

    @router.get("/alarms", response_model=list[answers.Alarm], responses=answers.refusals(404))
    async def active() -> Response:
        """The alarms that hold, acknowledged or not, the newest first."""
        catalogue = await catalogues.now()
        return Json([_alarm(alarm, catalogue) for alarm in _watch(page).active()])

    @router.get("/alarms/history", response_model=list[answers.Alarm], responses=answers.refusals(404))
    async def history(
        start_time: asked.Time = "-7d",
        end_time: asked.Time = "now()",
        limit: Annotated[int, Query(ge=1, le=2_000)] = 200,
    ) -> Response:
        """The alarms of a stretch of time, the newest first."""
        stretch = asked.stretch(start_time, end_time, page.clock.wall_ms(), page.settings.site_tz)
        found, catalogue = await _watch(page).history(*stretch, limit), await catalogues.now()
        return Json([_alarm(alarm, catalogue) for alarm in found])

    @router.post("/alarms/{alarm_id}/acknowledge", response_model=answers.Alarm, responses=_REFUSED)
    async def acknowledge(alarm_id: Annotated[int, Path(ge=0, lt=2**63)]) -> Response:
        """Say that it was seen. The token is needed."""
        try:
            alarm = _watch(page).acknowledge(alarm_id, BY_PAGE)
        except UnknownAlarm:
            raise HTTPException(404, f"there is no alarm {alarm_id}; /api/v1/alarms has all") from None
        return Json(_alarm(alarm, await catalogues.now()))

    @router.get("/thresholds", response_model=list[answers.Threshold], responses=answers.refusals(404))
    async def thresholds(
        at: asked.At, device_id: asked.DeviceId | None = None, tag: asked.TagName | None = None
    ) -> Response:
        """The limits in force, and who set them."""
        found = asked.tags(await catalogues.now(), at, device_id, tag)
        return Json(
            [
                answers.Threshold(device.id, entry.name, "document" if entry.thresholds else "local", as_limits(limits))
                for device, entry in found
                if (limits := entry.thresholds or (page.alarms and page.alarms.thresholds(device.id, entry.name)))
            ]
        )

    @router.put("/thresholds", response_model=answers.Threshold, responses=_REFUSED | answers.refusals(409))
    async def set_thresholds(sent: ThresholdsSent) -> Response:
        """Watch a tag that the document sets no limits for. The token is needed."""
        _settable(await catalogues.now(), sent.device_id, sent.tag)
        limits = Thresholds(
            sent.low_low, sent.low, sent.high, sent.high_high, hysteresis=sent.hysteresis, delay_s=sent.delay_sec
        )
        try:
            _watch(page).set_thresholds(sent.device_id, sent.tag, limits)
        except ThresholdsRefused as error:
            raise asked.wrong("thresholds", str(error), where="body") from None
        return Json(answers.Threshold(sent.device_id, sent.tag, "local", as_limits(limits)))

    @router.delete("/thresholds", status_code=204, responses=_REFUSED | answers.refusals(409))
    async def remove_thresholds(device_id: asked.DeviceId, tag: asked.TagName) -> Response:
        """Watch the tag no longer. The token is needed."""
        _settable(await catalogues.now(), device_id, tag)
        _watch(page).remove_thresholds(device_id, tag)
        return Response(status_code=204)

    return router


def _watch(page: sources.Sources) -> sources.AlarmSource:
    if page.alarms is None:
        raise HTTPException(404, OFF)
    return page.alarms


def _settable(catalogue: Catalogue, device_id: str, tag: str) -> None:
    if asked.tag(catalogue, device_id, tag).thresholds is not None:
        raise HTTPException(409, "the document sets this tag's thresholds; change them at the Fleet server")


def _alarm(alarm: sources.Alarm, catalogue: Catalogue) -> answers.Alarm:
    device = catalogue.devices.get(alarm.device_id)
    tag = None if device is None or alarm.tag is None else device.tags.get(alarm.tag)
    return answers.Alarm(
        str(alarm.id),
        alarm.device_id,
        alarm.device_name,
        alarm.tag,
        alarm.level,
        alarm.state,
        as_figure(alarm.value),
        alarm.limit,
        tag.unit if tag else "",
        iso(alarm.since_ms) or "",
        iso(alarm.left_ms),
        iso(alarm.acknowledged_ms),
    )
