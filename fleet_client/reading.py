"""From a body to a config document: lenient where a database speaks, strict where it matters.

One bad tag costs that tag, one bad device that device; each is named with its JSON path and a reason.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from typing import TypeAlias, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticCustomError

from fleet_client.document import ConfigDocument, DeviceConfig, TagConfig
from fleet_client.errors import NotAConfig
from fleet_client.fields import read_fields
from fleet_client.json_text import MAX_DEPTH, TOO_DEEP, parse_document, too_deep
from fleet_client.lenient import as_text, refused
from fleet_client.notes import Note, Reading, joined, printable, shown

MAX_DEVICES = 1_000
MAX_TAGS = 100_000
MAX_REFUSALS = 20_000
"""Of those that are about tags; 100,000 tags can hold two million fields that are refused."""
_FIELDS_SHOWN = 8

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A part of the document that can not be used.

    ``path`` is its JSON path (``devices[0].tags[3].scale``); ``code`` is one of ``missing`` ``wrong_type``
    ``unknown_value`` ``out_of_range`` ``not_a_number`` ``too_long`` ``too_many`` ``duplicate``.
    """

    path: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class DevicePlace:
    """Where an accepted device and its accepted tags stand in the document, as JSON paths, in the same order."""

    path: str
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LostDevice:
    """A device that was refused as a whole, by the id and the name it was sent with."""

    id: str
    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class ReadDocument:
    """What a body said: the document of all that can be used, what was refused, and what was read leniently.

    ``places`` has one entry for each of ``document.devices``; ``lost`` are those whose id can be told of the others.
    """

    document: ConfigDocument
    places: tuple[DevicePlace, ...]
    lost: tuple[LostDevice, ...]
    refusals: tuple[Refusal, ...]
    notes: tuple[Note, ...]


Take: TypeAlias = Callable[[DeviceConfig, DevicePlace], None]


def read_document(body: bytes, *, expected_edge_ids: Collection[str] | None) -> ReadDocument:
    """Read a body as it came from the server or a file. May take seconds for 32 MiB: call it in a thread.

    Raises `NotAConfig` for what is no config document, or that of an edge other than the expected; None expects any.
    """
    return read_parsed(parse_document(body), expected_edge_ids=expected_edge_ids)


def read_parsed(sent: object, *, expected_edge_ids: Collection[str] | None) -> ReadDocument:
    """Read a document that is parsed already, from YAML for instance; otherwise as `read_document`. Uses up `sent`."""
    accepted: list[tuple[DeviceConfig, DevicePlace]] = []
    read = _read(sent, expected_edge_ids, lambda device, place: accepted.append((device, place)))
    document = read.document.model_copy(update={"devices": tuple(device for device, _ in accepted)})
    return replace(read, document=document, places=tuple(place for _, place in accepted))


def read_devices(body: bytes, *, expected_edge_ids: Collection[str] | None, take: Take) -> ReadDocument:
    """As `read_document`, but what it returns has no devices: each is given to `take` as soon as it is read.

    So no more than one of them is there at a time, which for 100,000 tags is the difference of 200 MB.
    """
    return _read(parse_document(body), expected_edge_ids, take)


def _read(sent: object, expected_edge_ids: Collection[str] | None, take: Take) -> ReadDocument:
    if too_deep(sent, MAX_DEPTH):
        raise NotAConfig(TOO_DEEP)
    reader = _Reader(take)
    fields = _fields_of_config(sent, reader.reading)
    _check_edge(fields.get("edge_id"), expected_edge_ids)
    reader.devices(_list_of_devices(fields))
    document = reader.document(fields | {"devices": ()})
    return ReadDocument(document, (), tuple(reader.lost.values()), tuple(reader.refusals), tuple(reader.reading.notes))


def count_devices(body: bytes) -> int | None:
    """How many devices the document lists, good or bad; None if the body is no config document."""
    try:
        return len(_list_of_devices(_fields_of_config(parse_document(body), Reading())))
    except NotAConfig:
        return None


@dataclass(slots=True)
class _Reader:
    take: Take
    reading: Reading = field(default_factory=Reading)
    refusals: list[Refusal] = field(default_factory=list)
    lost: dict[str, LostDevice] = field(default_factory=dict)
    tags_seen: int = 0
    untold: int = 0

    def devices(self, sent: list[object]) -> None:
        """Uses up the list: a device that was read is let go of at once."""
        accepted: set[str] = set()
        found = len(sent)
        sent[:] = sent[MAX_DEVICES - 1 :: -1]
        for index in range(len(sent)):
            device_id = self._take(f"devices[{index}]", sent.pop(), accepted)
            if device_id is not None:
                accepted.add(device_id)
        self._refuse_surplus("devices", found, MAX_DEVICES, f"at most {MAX_DEVICES:,} devices")
        if self.untold:
            message = f"{self.untold:,} more parts of tags are refused; no more than {MAX_REFUSALS:,} are listed"
            self.refusals.append(Refusal("devices", "too_many", message))
        for device_id in accepted:
            self.lost.pop(device_id, None)

    def document(self, fields: dict[str, object]) -> ConfigDocument:
        self.reading.path = ""
        try:
            return ConfigDocument.model_validate(fields, context=self.reading)
        except ValidationError as error:
            self._refuse_all("", error)
            bad = {detail["loc"][0] for detail in error.errors(include_url=False)}
            return ConfigDocument.model_validate({k: v for k, v in fields.items() if k not in bad})

    def _take(self, path: str, sent: object, accepted: Collection[str]) -> str | None:
        """Read one device and give it away; its id, None where it was refused."""
        refused_before = len(self.refusals)
        read = self._device(path, sent)
        if read is None:
            self._lose(sent, self.refusals[refused_before:])
            return None
        device, place = read
        if device.id in accepted:
            self._refuse(joined(path, "id"), _duplicate("device", "id", device.id))
            return None
        self.take(device, place)
        return device.id

    def _device(self, path: str, sent: object) -> tuple[DeviceConfig, DevicePlace] | None:
        self.reading.path = path
        try:
            fields = read_fields(DeviceConfig, sent, self.reading)
        except PydanticCustomError as error:
            self._refuse(path, error)
            return None
        tags = fields.get("tags", [])
        if not isinstance(tags, list):
            self._refuse(joined(path, "tags"), refused("wrong_type", tags, "a list of tags"))
            return None
        by_path = self._tags(joined(path, "tags"), tags)
        fields["tags"] = tuple(by_path.values())
        device = self._validated(path, DeviceConfig, fields)
        return None if device is None else (device, DevicePlace(path, tuple(by_path)))

    def _lose(self, sent: object, refusals: list[Refusal]) -> None:
        """Remember a refused device if it can be told which one it is."""
        try:
            fields = read_fields(DeviceConfig, sent, Reading())
            device_id = as_text(fields.get("id"), 256)
            name = as_text(fields["name"], 256) if fields.get("name") else device_id
        except PydanticCustomError:
            return
        own = [refusal for refusal in refusals if ".tags[" not in refusal.path]
        if device_id and own:
            self.lost.setdefault(device_id, LostDevice(device_id, name, f"{own[0].path}: {own[0].message}"))

    def _tags(self, path: str, sent: list[object]) -> dict[str, TagConfig]:
        room = MAX_TAGS - self.tags_seen
        names: set[str] = set()
        by_path: dict[str, TagConfig] = {}
        for index, one in enumerate(sent[:room]):
            place = f"{path}[{index}]"
            tag = self._validated(place, TagConfig, one)
            if tag is None:
                continue
            if tag.name in names:
                self._refuse(joined(place, "name"), _duplicate("tag", "name", tag.name))
            else:
                names.add(tag.name)
                by_path[place] = tag
        self.tags_seen += min(len(sent), room)
        self._refuse_surplus(path, len(sent), room, f"at most {MAX_TAGS:,} tags in all devices together")
        return by_path

    def _validated(self, path: str, model: type[Model], sent: object) -> Model | None:
        self.reading.path = path
        try:
            return model.model_validate(sent, context=self.reading)
        except ValidationError as error:
            self._refuse_all(path, error)
            return None

    def _refuse(self, path: str, error: PydanticCustomError) -> None:
        self._note(path, error.type, error.message())

    def _note(self, path: str, code: str, message: str) -> None:
        if len(self.refusals) < MAX_REFUSALS or ".tags[" not in path:
            self.refusals.append(Refusal(path, code, message))
        else:
            self.untold += 1

    def _refuse_all(self, path: str, error: ValidationError) -> None:
        for detail in error.errors(include_url=False, include_context=False, include_input=False):
            match detail["type"]:
                case "default_factory_not_called":  # only says that the field it depends on was refused
                    continue
                case "missing" if detail["loc"]:  # of a field; a whole object has its own words
                    message = "found nothing (absent, null or blank), expected text"
                case _:
                    message = detail["msg"]
            place = path
            for name in detail["loc"]:
                place = joined(place, str(name))
            self._note(place, detail["type"], message)

    def _refuse_surplus(self, path: str, found: int, room: int, expected: str) -> None:
        if found > room:
            message = f"found {found - room:,} too many, this one and those after it; expected {expected}"
            self.refusals.append(Refusal(f"{path}[{room}]", "too_many", message))


def _duplicate(kind: str, name: str, value: str) -> PydanticCustomError:
    return PydanticCustomError("duplicate", f"found {shown(value)} again, expected each {kind}'s {name} only once")


def _fields_of_config(sent: object, reading: Reading) -> dict[str, object]:
    try:
        fields = read_fields(ConfigDocument, sent, reading)
    except PydanticCustomError as error:
        raise NotAConfig(f"the document is no config: {error.message()} with a list of devices") from None
    if "devices" not in fields and isinstance(sent, dict):
        found = ", ".join(printable(str(key)) for key in list(sent)[:_FIELDS_SHOWN]) or "nothing"
        raise NotAConfig(f"the document has no list of devices: found {found}; expected version, edge_id, devices")
    return fields


def _list_of_devices(fields: dict[str, object]) -> list[object]:
    devices = fields["devices"]
    if not isinstance(devices, list):
        raise NotAConfig(f"`devices` of the document is {shown(devices)}, expected a list")
    return devices


def _check_edge(sent: object, expected: Collection[str] | None) -> None:
    if sent is None or expected is None:
        return
    try:
        edge_id = as_text(sent, 256)
    except PydanticCustomError:
        edge_id = ""
    if edge_id not in expected:
        raise NotAConfig(f"the document is of the edge {shown(sent)}, expected {' or '.join(expected)}")
