import os
import stat
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fleet_client.copies import KEPT_EARLIER, DocumentStore
from fleet_client.errors import NotKept

HOW = ('"v1"', "edge-spifox-001", "/api/fleet/v1/edges/edge-spifox-001/config")


def body(number: int) -> bytes:
    return f'\ufeff{{"version": "{number}", "edge_name": "스피폭스"}}\r\n'.encode()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data" / "config"


@pytest.fixture
def store(folder: Path) -> DocumentStore:
    return DocumentStore(folder)


def loaded(folder: Path) -> bytes | None:
    kept = DocumentStore(folder).load()
    return kept.body if kept else None


def test_nothing_kept_yet(store: DocumentStore) -> None:
    assert store.load() is None


def test_a_document_comes_back_as_it_came(store: DocumentStore, folder: Path) -> None:
    store.keep(body(1), *HOW)
    kept = DocumentStore(folder).load()
    assert kept is not None
    assert (kept.body, kept.etag, kept.edge_id, kept.path) == (body(1), *HOW)
    assert (folder / "current.json").read_bytes() == body(1)


def test_only_the_owner_may_look(store: DocumentStore, folder: Path) -> None:
    store.keep(body(1), *HOW)
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.rglob("*"))}
    assert {mode for path, mode in modes.items() if path.is_dir()} == {0o700}
    assert {mode for path, mode in modes.items() if path.is_file()} == {0o600}


def test_the_last_ten_are_kept(store: DocumentStore, folder: Path) -> None:
    for number in range(14):
        store.keep(body(number), None, *HOW[1:])
    assert [kept.body for kept in store.documents()] == [body(number) for number in range(13, 3, -1)]
    assert len(list((folder / "earlier").iterdir())) == 2 * KEPT_EARLIER


def test_the_same_document_again_costs_nothing(store: DocumentStore, folder: Path) -> None:
    store.keep(body(1), *HOW)
    before = (folder / "current.json").stat().st_ino
    store.keep(body(1), *HOW)
    assert (folder / "current.json").stat().st_ino == before
    assert len(list(store.documents())) == 1


def test_a_document_that_comes_back_is_current_again(store: DocumentStore, folder: Path) -> None:
    for number in (1, 2, 1):
        store.keep(body(number), *HOW)
    assert [kept.body for kept in store.documents()] == [body(1), body(2)]


def test_a_new_etag_of_the_same_body_is_kept(store: DocumentStore) -> None:
    store.keep(body(1), *HOW)
    store.keep(body(1), '"v2"', *HOW[1:])
    kept = store.load()
    assert kept is not None
    assert kept.etag == '"v2"'


@pytest.mark.parametrize("file", ["current.json", "current.json.check"])
@pytest.mark.parametrize("damage", ["gone", "empty", "cut", "flipped", "folder", "link"])
def test_damage_falls_back_to_the_same_document_in_earlier(
    store: DocumentStore, folder: Path, file: str, damage: str
) -> None:
    store.keep(body(1), *HOW)
    store.keep(body(2), *HOW)
    spoil(folder / file, damage)
    assert loaded(folder) == body(2)
    spoil(folder / "earlier" / "00000002.json", "flipped")
    assert loaded(folder) == body(1)


def spoil(file: Path, damage: str) -> None:
    content = file.read_bytes()
    file.unlink()
    match damage:
        case "empty":
            file.touch()
        case "cut":
            file.write_bytes(content[: len(content) // 2])
        case "flipped":
            file.write_bytes(content[:9] + bytes([content[9] ^ 1]) + content[10:])
        case "folder":
            file.mkdir()
        case "link":
            elsewhere = file.with_name("elsewhere")
            elsewhere.write_bytes(content)
            file.symlink_to(elsewhere)


@pytest.mark.parametrize("file", ["current.json", "current.json.check", "current.json.partial"])
def test_a_power_cut_between_any_two_writes_leaves_a_whole_document(
    store: DocumentStore, folder: Path, file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.keep(body(1), *HOW)
    real = Path.replace

    def cut(partial: Path, to: Path) -> Path:
        if file in (to.name, partial.name):
            raise OSError(5, "Input/output error")
        return real(partial, to)

    monkeypatch.setattr(Path, "replace", cut)
    with pytest.raises(NotKept, match="Input/output error"):
        store.keep(body(2), *HOW)
    monkeypatch.undo()
    assert loaded(folder) in (body(1), body(2))
    store.keep(body(3), *HOW)
    assert loaded(folder) == body(3)


def test_a_disk_that_takes_nothing(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("a file where the folder belongs")
    store = DocumentStore(tmp_path / "config")
    with pytest.raises(NotKept, match=r"could not be kept in .*config: "):
        store.keep(body(1), *HOW)
    assert store.load() is None


def test_every_file_is_synced_before_it_takes_its_name(
    store: DocumentStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.mkdir(parents=True)
    steps: list[str] = []
    real_fsync, real_replace = os.fsync, Path.replace

    def fsync(handle: int) -> None:
        name = Path(f"/proc/self/fd/{handle}").readlink().name
        steps.append(f"sync {name}")
        real_fsync(handle)

    def replace(partial: Path, to: Path) -> Path:
        steps.append(f"name {to.name}")
        return real_replace(partial, to)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", replace)
    store.keep(body(1), *HOW)
    at = steps.index("name current.json")
    assert steps[at - 1 : at + 2] == ["sync current.json.partial", "name current.json", "sync config"]


@given(st.binary(max_size=300), st.binary(max_size=300))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
def test_no_content_of_the_files_ever_raises(tmp_path: Path, content: bytes, check: bytes) -> None:
    (tmp_path / "current.json").write_bytes(content)
    (tmp_path / "current.json.check").write_bytes(check)
    assert DocumentStore(tmp_path).load() is None


def test_a_check_that_fits_but_says_nothing_is_no_check(tmp_path: Path) -> None:
    for how in (b"[]", b"{", b'{"etag": 1, "edge_id": "a", "path": "b"}'):
        (tmp_path / "current.json").write_bytes(b"{}")
        checksum = sha256(how + b"\n{}").hexdigest().encode()
        (tmp_path / "current.json.check").write_bytes(checksum + b"\n" + how + b"\n")
        assert DocumentStore(tmp_path).load() is None
