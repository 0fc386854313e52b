"""The config document as the Fleet server sends it (`GET …/config`), with every default filled in.

A field's type says what it holds after the lenient reading; its validator what may be written for it. Ranges that
depend on a protocol (addresses, types, byte orders, the connection's content) are judged by whoever plans with it.
"""

from decimal import Decimal
from typing import Annotated, Literal, TypeAlias, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

from fleet_client import lenient
from fleet_client.fields import connection_fields, inner_object, read_fields, value_labels
from fleet_client.notes import Reading

Name = Annotated[str, lenient.text(256)]
Prose = Annotated[str, lenient.text(4_096)]
Word = Annotated[str, lenient.upper_text(256)]
Flag = Annotated[bool, lenient.flag()]
Number = Annotated[Decimal, lenient.number()]
Distance = Annotated[Decimal, lenient.number(at_least_zero=True)]
Identity = Annotated[int | str, lenient.identity()]
IntervalMs = Annotated[int, lenient.whole(10, 86_400_000, "ms")]
Register: TypeAlias = Literal["holding", "input", "coil", "discrete"]
Mode: TypeAlias = Literal["poll", "subscribe"]
Publish: TypeAlias = Literal["every_poll", "on_change"]


class Sent(BaseModel):
    """An object of the document: keys in any spelling, null and blank are absent, unknown fields are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", serialize_by_alias=True)

    @model_validator(mode="before")
    @classmethod
    def _read_fields(cls, sent: object, info: ValidationInfo) -> dict[str, object]:
        return read_fields(cls, sent, info.context if isinstance(info.context, Reading) else Reading())


class Location(Sent):
    """Where a device stands."""

    factory: Name | None = None
    building: Name | None = None
    floor: Name | None = None
    zone: Name | None = None


class Thresholds(Sent):
    """The limits of a tag's alarms, in engineering units; ``delay_sec`` is how long a limit must be passed."""

    low_low: Number | None = None
    low: Number | None = None
    high: Number | None = None
    high_high: Number | None = None
    hysteresis: Distance = Decimal(0)
    delay_sec: Distance = Decimal(0)

    @model_validator(mode="after")
    def _rising(self) -> "Thresholds":
        limits = [limit for limit in (self.low_low, self.low, self.high, self.high_high) if limit is not None]
        if limits != sorted(limits):
            raise PydanticCustomError("out_of_range", "expected low_low <= low <= high <= high_high")
        return self


class TagConfig(Sent):
    """One value of a device.

    ``data_type`` and ``byte_order`` are upper-case text, not yet judged; ``length`` is the bytes of a STRING or the
    elements of an array; ``interval_ms`` None means the device's own; a tag has an ``address``, an ``expression``
    over other tags of its device, or both; ``register_`` is the document's ``register``.
    """

    name: Name
    address: Name | None = None
    data_type: Word | None = None
    byte_order: Word = "BIG_ENDIAN"
    scale: Annotated[Decimal, lenient.number(not_zero=True)] = Decimal(1)
    offset: Number = Decimal(0)
    unit: Name = ""
    interval_ms: IntervalMs | None = None
    deadband: Distance | None = None
    deadband_percent: Distance | None = None
    writable: Flag = False
    write_min: Number | None = None
    write_max: Number | None = None
    write_max_step: Annotated[Decimal, lenient.number(above_zero=True)] | None = None
    length: Annotated[int, lenient.whole(1, 65_535)] | None = None
    bit: Annotated[int, lenient.whole(0, 15)] | None = None
    register_: Annotated[Register, lenient.one_of(*get_args(Register))] | None = Field(None, alias="register")
    encoding: Name | None = None
    value_map: Annotated[dict[str, str], value_labels()] | None = None
    description: Prose | None = None
    mode: Annotated[Mode, lenient.one_of(*get_args(Mode))] = "poll"
    thresholds: Annotated[Thresholds, inner_object()] | None = None
    expression: Prose | None = None

    @model_validator(mode="after")
    def _whole(self) -> "TagConfig":
        if self.address is None and self.expression is None:
            raise PydanticCustomError("missing", "found neither address nor expression, expected one of them")
        if self.write_min is not None and self.write_max is not None and self.write_min > self.write_max:
            raise PydanticCustomError("out_of_range", f"write_min {self.write_min} is above write_max {self.write_max}")
        return self


class DeviceConfig(Sent):
    """One device and its tags. ``connection`` has keys in snake_case and nothing that is null or blank."""

    id: Name
    name: Name = Field(default_factory=lambda read: read.get("id", ""))
    protocol: Name
    connection: Annotated[dict[str, object], connection_fields()] = Field(default_factory=dict)
    interval_ms: IntervalMs = 1_000
    enabled: Flag = True
    tags: tuple[TagConfig, ...] = ()
    equipment_id: Identity | None = None
    connection_id: Identity = Field(default_factory=lambda read: lenient.number_if_one(read.get("id", "")))
    timeout_ms: Annotated[int, lenient.whole(10, 600_000, "ms")] = 3_000
    request_delay_ms: Annotated[int, lenient.whole(0, 60_000, "ms")] = 0
    location: Annotated[Location, inner_object()] | None = None
    publish: Annotated[Publish, lenient.one_of(*get_args(Publish))] = "every_poll"
    publish_max_sec: Annotated[int, lenient.whole(1, 86_400, "s")] = 60


class ConfigDocument(Sent):
    """The document. ``version`` and ``edge_id`` are None where the server sent none."""

    version: Name | None = None
    edge_id: Name | None = None
    edge_name: Name | None = None
    devices: tuple[DeviceConfig, ...] = ()
    aggregation_interval_sec: Annotated[int, lenient.whole(1, 86_400, "s")] = 60
    local_retention_days: Annotated[int, lenient.whole(0, 36_500, "days")] = 7
