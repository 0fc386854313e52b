"""The model of a disk, against what a real process does below the shim."""

import subprocess
import sys
from pathlib import Path, PurePosixPath

from tests.judge.disk import Disk, Leftovers, Note, build, read_notes, said
from tests.judge.shims import Mood, recorded

SCRIPT = """
import os, sys
def sync(path, flags=os.O_RDONLY):
    fd = os.open(path, flags)
    os.fsync(fd)
    os.close(fd)
with open("kept", "wb") as file:
    file.write(b"synced"); file.flush(); os.fsync(file.fileno())
    file.write(b", lost")
open("no-entry", "wb").close()
sync("no-entry")
os.mkdir("inner")
with open("inner/a.new", "wb") as file:
    file.write(b"new"); file.flush(); os.fsync(file.fileno())
os.replace("inner/a.new", "inner/a")
sync("inner")
print("half way", flush=True)
os.unlink("kept")
sync(".")
"""


def notes_of(script: str, folder: Path) -> list[Note]:
    log = folder.with_name("notes")
    environment = recorded(folder, log)
    subprocess.run([sys.executable, "-I", "-c", script], cwd=folder, env=environment, check=True, capture_output=True)
    return read_notes(log)


def left(disk: Disk, leftovers: Leftovers = Leftovers.NOTHING, seed: int = 0) -> dict[str, bytes | None]:
    return {str(path): content for path, content in disk.after_cut(leftovers, seed).items()}


def test_only_what_was_synced_is_there_after_a_cut(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "old").write_bytes(b"was there")
    disk = Disk(folder)
    notes = notes_of(SCRIPT, folder)
    assert said(notes) == ["half way"]
    half = next(place for place, note in enumerate(notes) if note.kind == "O")
    disk.happen(notes[:half])
    assert left(disk) == {"old": b"was there"}  # entries of a folder that was never synced
    disk.happen(notes[half:])
    assert left(disk) == {"old": b"was there", "no-entry": b"", "inner": None, "inner/a": b"new"}


def test_what_was_not_synced_may_be_there_in_part(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "file").write_bytes(b"-" * 2048)
    disk = Disk(folder)
    disk.happen(notes_of("open('file', 'r+b').write(b'+' * 2048)", folder))
    assert left(disk) == {"file": b"-" * 2048}
    torn = {left(disk, Leftovers.SOME, seed)["file"] for seed in range(20)}
    assert len(torn) > 5
    assert all(content is not None and set(content[:512]) in ({43}, {45}) for content in torn)


def test_a_folder_is_built_as_it_was_left(tmp_path: Path) -> None:
    build({PurePosixPath("a"): None, PurePosixPath("a/b"): b"c"}, tmp_path / "new")
    assert (tmp_path / "new" / "a" / "b").read_bytes() == b"c"


def test_a_disk_in_a_bad_mood(tmp_path: Path) -> None:
    mood = Mood(tmp_path / "mood")
    mood.set("eio 2")
    script = "import os\nfd = os.open('f', os.O_CREAT | os.O_WRONLY)\nfor _ in range(3):\n    " + (
        "try: os.fsync(fd); print('ok')\n    except OSError as refusal: print(refusal.errno)"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", script], cwd=tmp_path, env=mood.environment, check=True, capture_output=True
    )
    assert done.stdout.split() == [b"ok", b"5", b"ok"]
