from simulators.modbus import Kind, Order, Table, demo_device, demo_layout
from simulators.modbus.memory import Memory
from simulators.modbus.press_line import PRESS_LINE, LineTag
from simulators.modbus.words import from_words, word_count
from simulators.signals import Moment

NOW = Moment(37.0, 5)
AREAS = {"0": Table.COIL, "1": Table.DISCRETE, "3": Table.INPUT, "4": Table.HOLDING}


def entries() -> list[dict[str, object]]:
    tags = demo_device("127.0.0.1", 5020)["tags"]
    assert isinstance(tags, list)
    return tags


def read_as_described(memory: Memory, entry: dict[str, object]) -> object:
    """Follow the document alone: area, one-based number, bit, type, order."""
    written, _, bit = str(entry["address"]).partition(".")
    table, address = AREAS[written[0]], int(written[1:]) - 1
    if table in (Table.COIL, Table.DISCRETE):
        return bool(memory.read(table, address, 1, NOW)[0])
    if bit:
        return bool(memory.read(table, address, 1, NOW)[0] >> int(bit) & 1)
    kind = Kind(str(entry["data_type"]))
    order = Order.ABCD if entry["byte_order"] == "BIG_ENDIAN" else Order(str(entry["byte_order"]))
    length = entry.get("length", 0)
    assert isinstance(length, int)
    words = memory.read(table, address, word_count(kind, length), NOW)
    return from_words(tuple(words), kind, order)


def meant(tag: LineTag) -> object:
    value = tag.signal.at(NOW)
    if tag.kind in (Kind.FLOAT32, Kind.FLOAT64, Kind.STRING) or isinstance(value, bool):
        return value
    return round(float(value)) % 2**32 if tag.kind is Kind.UINT32 else round(float(value))


def test_the_document_describes_what_the_plc_holds() -> None:
    memory = Memory(demo_layout()[1])
    for tag, entry in zip(PRESS_LINE, entries(), strict=True):
        read, value = read_as_described(memory, entry), meant(tag)
        if tag.kind is Kind.FLOAT32:
            assert isinstance(read, float)
            assert isinstance(value, float)
            assert abs(read - value) < 1e-4, tag.name
        else:
            assert read == value, tag.name


def test_the_line_shows_what_a_collector_must_cope_with() -> None:
    described = entries()
    names = [str(entry["name"]) for entry in described]
    assert 20 <= len(names) == len(set(names)) <= 32
    assert any(not name.isascii() for name in names)
    assert {"BIG_ENDIAN", "CDAB", "BADC", "DCBA"} == {entry["byte_order"] for entry in described}
    assert {"°C", "bar", "개"} <= {entry["unit"] for entry in described}
    assert {str(entry["address"])[0] for entry in described} == set("0134")
    assert any("." in str(entry["address"]) for entry in described)
    assert [entry["name"] for entry in described if entry.get("writable")] == [
        "setpoint",
        "stroke_rate",
        "lubrication",
        "warning_lamp",
    ]


def test_the_device_entry_is_one_of_the_contract() -> None:
    device = demo_device("10.0.0.5", 5021, device_id="7", unit_id=3, interval_ms=200)
    assert device["id"] == "7"
    assert device["protocol"] == "modbus_tcp"
    assert device["connection"] == {"host": "10.0.0.5", "port": 5021, "unit_id": 3}
    assert device["interval_ms"] == 200
    assert device["enabled"] is True
