import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet_client.topics import Topics, other_spelling, valid_edge_id

EDGE_IDS = st.from_regex(r"[A-Za-z0-9._-]{1,59}", fullmatch=True)


def test_the_five_topics() -> None:
    topics = Topics("edge-spifox-001")
    assert topics.data == "vexplor/devices/edge-spifox-001/data"
    assert topics.status == "vexplor/devices/edge-spifox-001/status"
    assert topics.responses == "vexplor/devices/edge-spifox-001/responses"
    assert topics.events == "vexplor/devices/edge-spifox-001/events"
    assert topics.commands == "vexplor/devices/edge-spifox-001/commands"


@pytest.mark.parametrize("text", ["", "a/b", "a/#", "+", "a b", "엣지", "a\n", "a\0", "x" * 65])
def test_what_is_no_edge_id(text: str) -> None:
    assert not valid_edge_id(text)
    with pytest.raises(ValueError, match="no edge id"):
        Topics(text)


@pytest.mark.parametrize("text", ["a", "x" * 64, "spifox-001", "A.b_c-9"])
def test_what_is_one(text: str) -> None:
    assert valid_edge_id(text)


@given(EDGE_IDS)
def test_the_other_spelling_is_another_edge_id_and_leads_back(edge_id: str) -> None:
    other = other_spelling(edge_id)
    if other is None:
        assert edge_id == "edge-"
    elif not edge_id.startswith("edge-edge-"):
        assert valid_edge_id(other)
        assert other_spelling(other) == edge_id


def test_spellings_by_example() -> None:
    assert other_spelling("spifox-001") == "edge-spifox-001"
    assert other_spelling("edge-spifox-001") == "spifox-001"
    assert other_spelling("edge-") is None
    assert other_spelling("x" * 60) is None
