import os
from pathlib import Path

import orjson
import pytest

from simulators.fleet.documents import Document, Documents, etag_matches


def served(documents: Documents, edge_id: str) -> Document:
    found = documents.find(edge_id)
    assert found is not None
    document: Document = orjson.loads(found.body)
    return document


def test_an_unknown_edge_gets_nothing_and_a_registered_one_a_document_without_devices() -> None:
    documents = Documents()
    assert documents.find("edge-a") is None
    documents.register("edge-a")
    document = served(documents, "edge-a")
    assert (document["edge_id"], document["devices"]) == ("edge-a", [])
    assert isinstance(document["version"], str)


def test_a_document_for_all_goes_to_the_registered_under_their_own_id() -> None:
    documents = Documents()
    documents.put({"version": "1", "devices": [{"id": "1"}]})
    documents.register("edge-a")
    assert served(documents, "edge-a") == {"version": "1", "devices": [{"id": "1"}], "edge_id": "edge-a"}
    assert documents.find("edge-b") is None


def test_a_document_that_names_an_edge_is_its_alone_and_makes_it_known() -> None:
    documents = Documents()
    documents.put({"version": "1", "edge_id": "edge-a", "devices": [{"id": "1"}]})
    documents.register("edge-b")
    assert served(documents, "edge-a")["devices"] == [{"id": "1"}]
    assert served(documents, "edge-b")["devices"] == []


def test_the_etag_changes_with_the_document_and_only_then() -> None:
    documents = Documents()
    documents.put({"version": "1", "edge_id": "edge-a"})
    first, again = documents.find("edge-a"), documents.find("edge-a")
    documents.edit(lambda document: document.update(edge_name="새 이름"))
    changed = documents.find("edge-a")
    assert first is not None
    assert changed is not None
    assert first == again
    assert first.etag != changed.etag
    assert served(documents, "edge-a")["edge_name"] == "새 이름"
    assert served(documents, "edge-a")["version"] != "1"


def test_an_edit_that_fails_changes_nothing() -> None:
    documents = Documents()
    documents.put({"version": "1", "edge_id": "edge-a", "devices": []})

    def half_done(document: Document) -> None:
        document["devices"] = ["half"]
        raise RuntimeError

    with pytest.raises(RuntimeError):
        documents.edit(half_done)
    assert served(documents, "edge-a") == {"version": "1", "edge_id": "edge-a", "devices": []}


def test_an_edit_of_nothing_says_so() -> None:
    with pytest.raises(LookupError, match="put one first"):
        Documents().edit(lambda document: None)


def test_a_file_is_read_again_when_it_has_changed_and_kept_when_it_is_broken(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_text('{"version": "1", "edge_id": "edge-a"}')
    documents = Documents(file)
    assert served(documents, "edge-a")["version"] == "1"

    file.write_text('{"version": "2", "edge_id"')
    assert served(documents, "edge-a")["version"] == "1"
    assert "config.json can not be read" in (documents.file_error or "")

    file.write_text("[]")
    assert served(documents, "edge-a")["version"] == "1"
    assert "no JSON object" in (documents.file_error or "")

    file.write_text('{"version": "3", "edge_id": "edge-a"}')
    os.utime(file, (1, 1))
    assert served(documents, "edge-a")["version"] == "3"
    assert documents.file_error is None


@pytest.mark.parametrize(
    ("if_none_match", "matches"),
    [
        ('"abc"', True),
        ('W/"abc"', True),
        ('"x", W/"abc"', True),
        ("*", True),
        ('"abcd"', False),
        ("abc", False),
        ("", False),
    ],
)
def test_etags_are_compared_weakly(if_none_match: str, matches: bool) -> None:
    assert etag_matches(if_none_match, '"abc"') is matches
    assert etag_matches(if_none_match, 'W/"abc"') is matches
