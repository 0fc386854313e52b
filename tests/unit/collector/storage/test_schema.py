"""Files of earlier and later releases."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from collector.storage import schema
from collector.storage.outbox_store import FILE_NAME
from collector.storage.rowcodec import pack
from tests.unit.collector.storage.damage import contents, letters, opened, specimen

INSERT = "INSERT INTO data (id, epoch, seq, stamp_ms, topic, size, packed, crc, payload) VALUES (?,?,?,?,?,?,?,?,?)"
OPEN = "import sys; from pathlib import Path; from tests.unit.collector.storage.damage import opened; "


def first_version(folder: Path, messages: int) -> dict[int, bytes]:
    """A file as schema 1 had it: without the notes that came later."""
    folder.mkdir()
    bodies = {seq: f'{{"seq":{seq}}}'.encode() * 9 for seq in range(1, messages + 1)}
    with closing(sqlite3.connect(folder / FILE_NAME, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        schema._STEPS[0](connection)
        connection.execute("PRAGMA user_version = 1")
        for seq, body in bodies.items():
            stored, packed, crc = pack(body, f"t/data e1 {seq} {seq}")
            connection.execute(INSERT, (seq + 10, "e1", seq, seq, "t/data", len(body), packed, crc, stored))
        connection.execute("UPDATE meta SET value = ? WHERE key = 'data.messages'", (messages,))
    return bodies


def test_d12_a_file_of_the_first_schema_is_brought_up(tmp_path: Path) -> None:
    bodies = first_version(tmp_path / "one", 100)
    store, damage = opened(tmp_path / "one")
    assert damage is None
    assert contents(store) == bodies
    store.close()
    with closing(sqlite3.connect(tmp_path / "one" / FILE_NAME)) as connection:
        notes = dict(connection.execute("SELECT key, value FROM meta").fetchall())
        assert connection.execute("PRAGMA user_version").fetchone() == (schema.VERSION,)
    assert (notes["data.first"], notes["data.last"]) == (11, 110)


@pytest.mark.parametrize("point", ["in-migration:1", "first-creation:1"])
def test_d12_a_crash_in_the_middle_costs_nothing(point: str, tmp_path: Path) -> None:
    bodies = first_version(tmp_path / "one", 100) if point.startswith("in-migration") else {}
    (tmp_path / "one").mkdir(exist_ok=True)
    program = [sys.executable, "-c", OPEN + "opened(Path(sys.argv[1]))", str(tmp_path / "one")]
    assert subprocess.run(program, env={"CRASHPOINT": point}, check=False).returncode == 137
    store, damage = opened(tmp_path / "one")
    assert damage is None
    assert contents(store) == bodies
    store.close()


@pytest.mark.parametrize("readable_by", [schema.VERSION, schema.VERSION + 1])
def test_d13_a_newer_file_is_used_if_it_may_be_and_else_set_aside_whole(readable_by: int, tmp_path: Path) -> None:
    one = specimen(tmp_path / "one", count=100, largest=300, acknowledged=10, closed=True)
    file = one.folder / FILE_NAME
    with closing(sqlite3.connect(file, isolation_level=None)) as newer:
        newer.execute("UPDATE meta SET value = ? WHERE key = 'readable_by'", (readable_by,))
        newer.execute("ALTER TABLE start ADD COLUMN machine TEXT")
        newer.execute(f"PRAGMA user_version = {schema.VERSION + 1}")
        newer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    before = file.read_bytes()
    store, damage = opened(one.folder)
    assert contents(store) == one.bodies
    assert not [letter for letter in letters(store) if letter.startswith("corrupt")]
    store.close()
    if readable_by <= schema.VERSION:
        assert damage is None
        with closing(sqlite3.connect(file)) as connection:
            assert connection.execute("PRAGMA user_version").fetchone() == (schema.VERSION + 1,)
    else:
        assert damage is not None
        assert "newer release" in damage
        assert (one.folder / f"{FILE_NAME}.damaged-1").read_bytes() == before


@pytest.mark.parametrize("passing", range(1, 8))
def test_d3_a_crash_in_the_middle_of_a_salvage_costs_nothing(passing: int, tmp_path: Path) -> None:
    one = specimen(tmp_path / "one", count=2000, largest=300, acknowledged=100, closed=True)
    content = bytearray((one.folder / FILE_NAME).read_bytes())
    content[:100] = bytes(100)
    (one.folder / FILE_NAME).write_bytes(content)
    program = [sys.executable, "-c", OPEN + "opened(Path(sys.argv[1]))", str(one.folder)]
    assert subprocess.run(program, env={"CRASHPOINT": f"in-salvage:{passing}"}, check=False).returncode == 137
    store, _ = opened(one.folder)
    assert contents(store) == one.bodies
    assert store.found.data.messages == len(one.bodies)
    assert not [letter for letter in letters(store) if letter.startswith("corrupt")]
    store.close()
