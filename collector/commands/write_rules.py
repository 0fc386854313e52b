"""Whether a value may be written to a tag: first by the configuration, then by what the device holds. Pure."""

from dataclasses import dataclass, replace
from decimal import Decimal

from collector.commands.outcome import CommandFailed
from collector.commands.quantities import from_raw, is_whole, leaves, numbers, rounded, shown
from collector.config.plan import DevicePlan, WriteRule
from collector.polling.derived import value_of_label
from collector.polling.desk import Found, raw_point
from protocols.base import DataType, PlcDriver, Point, Scalar, TagSpec, Value, Write
from protocols.errors import Unwritable
from protocols.quality import Quality

TYPED_BY_DEVICE = frozenset({"opcua"})
"""Protocols whose devices say themselves what type a value has, whatever the document says."""

_FRACTIONS = frozenset({DataType.FLOAT32, DataType.FLOAT64})
_UNSCALED = frozenset(
    {
        DataType.BOOL,
        DataType.STRING,
        DataType.CHAR,
        DataType.WSTRING,
        DataType.DATE,
        DataType.TIME_OF_DAY,
        DataType.DATE_AND_TIME,
        DataType.DTL,
    }
)
_CURABLE = frozenset({Quality.NOT_A_NUMBER, Quality.OUT_OF_RANGE, Quality.BAD_ENCODING, Quality.NO_VALUE})
"""What is wrong with the value that stands there and not with the way to it: a write mends it."""


@dataclass(frozen=True, slots=True)
class WriteOrder:
    """One tag of a command, and what is to be sent.

    `value` is in engineering units, a label replaced by the value it names; `raw_point` is where the tag lies, with
    its scale left out.
    """

    name: str
    rule: WriteRule
    spec: TagSpec
    value: Value
    write: Write
    raw_point: Point

    @property
    def tag(self) -> int:
        """Its position in the plan's names."""
        return self.rule.tag


def order_for(driver: PlcDriver, plan: DevicePlan, name: str, value: Value) -> WriteOrder:
    """The order to write a tag.

    Raises `CommandFailed` (``unknown_tag``, ``not_writable``, ``wrong_type``, ``out_of_range``).
    """
    rule, spec = _writable(plan, name)
    meant = _meant(plan, rule.tag, value)
    try:
        write = driver.encode(plan.connection, driver.point(replace(spec, subscribe=False), plan.connection), meant)
    except Unwritable as error:
        raise _rejected(error.code, f"{plan.name}/{name}: {error}") from None
    if spec.data_type in _UNSCALED or spec.bit is not None:
        spec = replace(spec, scale=Decimal(1), offset=Decimal(0))
    order = WriteOrder(name, rule, spec, meant, write, raw_point(driver, plan, spec))
    in_whole_numbers = plan.protocol not in TYPED_BY_DEVICE and spec.data_type not in _FRACTIONS | _UNSCALED
    _check_range(order, f"{plan.name}/{name}", in_whole_numbers=in_whole_numbers)
    return order


def check_present(order: WriteOrder, plan: DevicePlan, present: Found) -> None:
    """Judge an order by what the device holds now. Raises `CommandFailed`."""
    where = f"{plan.name}/{order.name}"
    if present.raw is None:
        _check_curable(order, where, present.quality)
        return
    if plan.protocol in TYPED_BY_DEVICE:
        _check_kind(order.value, present.raw, where)
        _check_range(order, where, in_whole_numbers=is_whole(present.raw))
    _check_step(order, where, present.raw)


def _writable(plan: DevicePlan, name: str) -> tuple[WriteRule, TagSpec]:
    if name not in plan.names:
        raise _rejected("unknown_tag", f"{plan.name} has no tag {shown(name)} that is polled")
    tag = plan.names.index(name)
    spec = plan.specs[tag]
    if spec is None:
        raise _rejected("not_writable", f"{plan.name}/{name} is computed from other tags")
    for rule in plan.write_rules:
        if rule.tag == tag:
            return rule, spec
    raise _rejected("not_writable", f"{plan.name}/{name} is not marked writable in the configuration")


def _meant(plan: DevicePlan, tag: int, value: Value) -> Value:
    """A label stands for the one value that it names; spaces at the end of a text would not be read, as all padding."""
    if not isinstance(value, str):
        return value
    for labels in plan.labels:
        if labels.tag == tag and (named := value_of_label(labels, value)) is not None:
            return named
    return value.rstrip(" ")


def _check_range(order: WriteOrder, where: str, *, in_whole_numbers: bool) -> None:
    """Neither what is asked for nor what rounding makes of it may be out of range."""
    rule = order.rule
    if rule.minimum is rule.maximum is rule.max_step is None:
        return
    if any(isinstance(each, str) for each in leaves(order.value)):
        raise _rejected("wrong_type", f"{where} has limits in the configuration, so that only numbers may be written")
    for asked in numbers(order.value):
        for number in (asked, rounded(asked, order.spec) if in_whole_numbers else asked):
            if rule.minimum is not None and number < rule.minimum:
                raise _rejected("out_of_range", f"{where}: {shown(number)} is below write_min {rule.minimum}")
            if rule.maximum is not None and number > rule.maximum:
                raise _rejected("out_of_range", f"{where}: {shown(number)} is above write_max {rule.maximum}")


def _check_curable(order: WriteOrder, where: str, quality: Quality | None) -> None:
    if quality not in _CURABLE:
        message = f"{where} can not be read ({quality}), so that a write could not be verified"
        raise CommandFailed("error", "device_error", message)
    if order.rule.max_step is not None:
        message = f"{where} holds no good value now ({quality}), so that write_max_step can not be kept"
        raise _rejected("out_of_range", message)


def _check_step(order: WriteOrder, where: str, raw: Value) -> None:
    """The way from what the device holds, of each element of an array."""
    step = order.rule.max_step
    if step is None:
        return
    held, asked = [from_raw(number, order.spec) for number in numbers(raw)], list(numbers(order.value))
    if len(held) != len(asked):
        raise _rejected("wrong_type", f"{where} holds {len(held)} numbers now; {len(asked)} are to be written")
    for now, wanted in zip(held, asked, strict=True):
        after = rounded(wanted, order.spec) if is_whole(raw) else wanted
        if max(abs(wanted - now), abs(after - now)) > step:
            message = f"{where}: from {shown(now)} to {shown(wanted)} is more than write_max_step {step}"
            raise _rejected("out_of_range", message)


def _check_kind(value: Value, raw: Value, where: str) -> None:
    """What is written must be of the kind that the device holds there."""
    asked, held = {_kind(each) for each in leaves(value)}, {_kind(each) for each in leaves(raw)}
    is_truth = held == {"BOOL"} and all(each in (0, 1) for each in leaves(value))
    if isinstance(value, list) is not isinstance(raw, list) or not (is_truth or asked <= held):
        kind = " and ".join(sorted(held)) + (" in an array" if isinstance(raw, list) else "")
        raise _rejected("wrong_type", f"{where} holds {kind}; {shown(value)} is none")


def _kind(leaf: Scalar) -> str:
    if isinstance(leaf, bool):
        return "BOOL"
    return "text" if isinstance(leaf, str) else "a number"


def _rejected(code: str, message: str) -> CommandFailed:
    return CommandFailed("rejected", code, message)
