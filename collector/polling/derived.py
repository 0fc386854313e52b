"""What a cycle's values give besides themselves: the computed tags, and then the texts that values stand for.

Computed tags reckon with the scaled numbers, not with their texts.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from collector.config.expression import NotANumber, Number
from collector.config.plan import ComputedTag, DevicePlan, Labels
from protocols.base import Scalar, Value
from protocols.quality import Quality

_WORST_FIRST = (
    Quality.DISCONNECTED,
    Quality.TIMEOUT,
    Quality.DEVICE_ERROR,
    Quality.BAD_ADDRESS,
    Quality.NO_VALUE,
    Quality.OUT_OF_RANGE,
    Quality.BAD_ENCODING,
    Quality.NOT_A_NUMBER,
    Quality.UNCERTAIN,
)


@dataclass(frozen=True, slots=True)
class Row:
    """A tag's value in this cycle, or why it has none; both where the value is `uncertain`."""

    value: Value | None
    quality: Quality | None = None


class Derivation:
    """Derives what one device's plan says. `rows` are by position in `DevicePlan.names`."""

    def __init__(self, plan: DevicePlan) -> None:
        self._computed = plan.computed
        self._labels = [(labels.tag, _by_value(labels)) for labels in plan.labels]

    def __bool__(self) -> bool:
        return bool(self._computed or self._labels)

    def complete(self, rows: dict[int, Row]) -> None:
        """Add the computed tags of which every input is in `rows`, and put texts in the place of values."""
        for computed in self._computed:
            inputs = [row for tag in computed.inputs if (row := rows.get(tag)) is not None]
            if len(inputs) == len(computed.inputs):
                rows[computed.tag] = _reckoned(computed, inputs)
        for tag, texts in self._labels:
            row = rows.get(tag)
            if row is not None and row.value is not None:
                rows[tag] = Row(_labelled(row.value, texts), row.quality)


def value_of_label(labels: Labels, text: str) -> Scalar | None:
    """The value that is called `text`; None where none is, or more than one."""
    keys = [key for key, label in labels.texts if label == text]
    values = {key if (number := _number(key)) is None else number for key in keys}
    return values.pop() if len(values) == 1 else None


def _reckoned(computed: ComputedTag, inputs: Iterable[Row]) -> Row:
    """As bad as the worst input."""
    qualities = {row.quality for row in inputs}
    worst = next((quality for quality in _WORST_FIRST if quality in qualities), None)
    if worst not in (None, Quality.UNCERTAIN):
        return Row(None, worst)
    numbers: list[Number] = [row.value for row in inputs if isinstance(row.value, bool | int | float)]
    try:
        if len(numbers) < len(computed.inputs):  # a text or an array, of a device that says its types itself
            raise NotANumber
        return Row(computed.expression.value(numbers), worst)
    except NotANumber:
        return Row(None, Quality.NOT_A_NUMBER)


def _by_value(labels: Labels) -> Mapping[Scalar, str]:
    """The texts by the values that their keys can mean: 0, 0.0 and false are one and the same, "0" is a text."""
    texts: dict[Scalar, str] = {}
    for key, text in labels.texts:
        texts.setdefault(key, text)
        number = _number(key)
        if number is not None:
            texts.setdefault(number, text)
    return texts


def _number(key: str) -> Number | None:
    word = key.strip().lower()
    if word in ("true", "false"):
        return word == "true"
    try:
        return int(word)
    except ValueError:
        pass
    try:
        return float(word)
    except ValueError:
        return None


def _labelled(value: Value, texts: Mapping[Scalar, str]) -> Value:
    if isinstance(value, list):
        return [_labelled(each, texts) for each in value]
    return texts.get(value, value)
