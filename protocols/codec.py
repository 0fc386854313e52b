"""From the bytes of one answer to the values of its tags, compiled beforehand.

A block is a stream of 16-bit registers, high byte first, or plain bytes. Tags that share order, type and scale
are taken out and scaled together, so that nothing is decided value by value.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Protocol, TypeAlias

from protocols.base import Cycle, DataType, Scalar, Value
from protocols.dates import date_and_time_text, date_text, dtl_text, s5time_ms, time_of_day_text
from protocols.layout import Extract, Field, Reading, View, bits, layers, numbers, texts, view_and_endian
from protocols.quality import Quality
from protocols.scaling import Scaling, float32_scaler, float64_scaler, integer_scaler
from protocols.text import decode_counted, decode_text, decode_wide

Convert: TypeAlias = Callable[[Sequence[Any]], Sequence[Scalar]]


class BlockDecoder:
    """Decodes the blocks that answer one request, for tags that may overlap in any way."""

    def __init__(self, fields: Iterable[Field]) -> None:
        families: dict[_Family, list[Field]] = {}
        self._groups: list[_Group] = []
        for field in sorted(fields, key=attrgetter("at")):
            family = _family(field)
            if field.reading.count is None or family.kind.take is texts:
                families.setdefault(family, []).append(field)
            else:
                self._groups.append(_Array(family, field))
        for family, members in families.items():
            parts = layers(members) if family.kind.take is numbers else [members]
            self._groups += [_Scalars(family, part) for part in parts]
        self._views = {group.view for group in self._groups}

    def decode(self, block: bytes, cycle: Cycle) -> None:
        """Write each tag's value, or its quality, into `cycle`. The block must hold every field's bytes."""
        seen = {view: view(block) for view in self._views}
        for group in self._groups:
            group.decode(seen[group.view], cycle)


@dataclass(frozen=True, slots=True)
class _Kind:
    """How raw values are taken out and converted, and what is wrong with one that can not be."""

    take: Callable[[Sequence[Field], str], Extract]
    converter: Callable[[Reading], Convert]
    flaw: Quality = Quality.NOT_A_NUMBER


@dataclass(frozen=True, slots=True)
class _Family:
    """What tags must have in common to be decoded together."""

    kind: _Kind
    view: View
    endian: str
    scaling: Scaling
    encoding: str
    counted: bool


class _Group(Protocol):
    @property
    def view(self) -> View: ...

    def decode(self, block: bytes, cycle: Cycle) -> None: ...


class _Scalars:
    """Tags of one family with one value each."""

    def __init__(self, family: _Family, fields: Sequence[Field]) -> None:
        self.view = family.view
        self._flaw = family.kind.flaw
        self._take = family.kind.take(fields, family.endian)
        self._convert = family.kind.converter(fields[0].reading)
        self._tags = [field.tag for field in fields]
        first, count = self._tags[0], len(fields)
        in_a_row = self._tags == list(range(first, first + count))
        self._row = slice(first, first + count) if in_a_row else None

    def decode(self, block: bytes, cycle: Cycle) -> None:
        raws = self._take(block)
        try:
            values = self._convert(raws)
        except (ValueError, OverflowError):
            self._one_by_one(raws, cycle)
            return
        if self._row is not None:
            cycle.values[self._row] = values
            return
        for tag, value in zip(self._tags, values, strict=True):
            cycle.values[tag] = value

    def _one_by_one(self, raws: Sequence[Any], cycle: Cycle) -> None:
        for tag, raw in zip(self._tags, raws, strict=True):
            try:
                (cycle.values[tag],) = self._convert((raw,))
            except OverflowError:
                cycle.bad[tag] = Quality.NOT_A_NUMBER
            except ValueError:
                cycle.bad[tag] = self._flaw


class _Array:
    """One tag with several values; one bad element makes it bad."""

    def __init__(self, family: _Family, field: Field) -> None:
        self.view = family.view
        self._flaw = family.kind.flaw
        self._take = family.kind.take([field], family.endian)
        self._convert = family.kind.converter(field.reading)
        self._tag = field.tag

    def decode(self, block: bytes, cycle: Cycle) -> None:
        try:
            elements: list[Value] = [*self._convert(self._take(block))]
        except OverflowError:
            cycle.bad[self._tag] = Quality.NOT_A_NUMBER
        except ValueError:
            cycle.bad[self._tag] = self._flaw
        else:
            cycle.values[self._tag] = elements


def _as_taken(_reading: Reading) -> Convert:
    return lambda raws: raws


def _truth(_reading: Reading) -> Convert:
    return lambda raws: [raw != 0 for raw in raws]


def _integers(reading: Reading) -> Convert:
    return integer_scaler(reading.scaling)


def _bcd(reading: Reading) -> Convert:
    """Each hexadecimal digit is to be read as a decimal one, which fails for A to F."""
    scale = integer_scaler(reading.scaling)
    return lambda raws: scale([int(f"{raw:x}") for raw in raws])


def _s5times(reading: Reading) -> Convert:
    scale = integer_scaler(reading.scaling)
    return lambda raws: scale([s5time_ms(raw) for raw in raws])


def _each(convert: Callable[[Any], Scalar]) -> Callable[[Reading], Convert]:
    """A converter of one raw value after the other, which nothing can scale."""
    return lambda _reading: lambda raws: [convert(raw) for raw in raws]


def _float32s(reading: Reading) -> Convert:
    return float32_scaler(reading.scaling)


def _float64s(reading: Reading) -> Convert:
    return float64_scaler(reading.scaling)


def _text(reading: Reading) -> Convert:
    decode = decode_counted if reading.counted else decode_text
    return lambda raws: [decode(raw, reading.encoding) for raw in raws]


_BIT = _Kind(bits, _as_taken)
_TEXT = _Kind(texts, _text, Quality.BAD_ENCODING)
_INTEGER = _Kind(numbers, _integers)
_BCD = _Kind(numbers, _bcd, Quality.OUT_OF_RANGE)
_KINDS = dict.fromkeys(DataType, _INTEGER) | {
    DataType.BOOL: _Kind(numbers, _truth),
    DataType.FLOAT32: _Kind(numbers, _float32s),
    DataType.FLOAT64: _Kind(numbers, _float64s),
    DataType.BCD16: _BCD,
    DataType.BCD32: _BCD,
    DataType.STRING: _TEXT,
    DataType.CHAR: _TEXT,
    DataType.WSTRING: _Kind(texts, _each(decode_wide), Quality.BAD_ENCODING),
    DataType.S5TIME: _Kind(numbers, _s5times, Quality.OUT_OF_RANGE),
    DataType.DATE: _Kind(numbers, _each(date_text), Quality.OUT_OF_RANGE),
    DataType.TIME_OF_DAY: _Kind(numbers, _each(time_of_day_text), Quality.OUT_OF_RANGE),
    DataType.DATE_AND_TIME: _Kind(texts, _each(date_and_time_text), Quality.OUT_OF_RANGE),
    DataType.DTL: _Kind(texts, _each(dtl_text), Quality.OUT_OF_RANGE),
}


def _family(field: Field) -> _Family:
    reading = field.reading
    kind = _KINDS[reading.data_type] if field.bit is None else _BIT
    return _Family(kind, *view_and_endian(field), reading.scaling, reading.encoding, reading.counted)
