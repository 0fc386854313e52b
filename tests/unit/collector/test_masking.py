"""A secret is found in a text in whatever form it stands there."""

import base64
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.settings.masking import MASK, Masking

secret_texts = st.text(st.characters(codec="utf-8"), min_size=4, max_size=40)


@given(secret_texts, st.text("ab \n", max_size=20))
def test_s5_no_form_of_a_secret_is_left(secret: str, around: str) -> None:
    masked = Masking([secret])
    encoded = base64.b64encode(secret.encode()).decode()
    for form in (secret, json.dumps(secret)[1:-1], repr(secret)[1:-1], quote(secret, safe=""), encoded):
        assert masked(f"{around}<{form}>{around}").count(MASK) >= 1
        assert f"<{form}>" not in masked(f"{around}<{form}>{around}")


def test_a_secret_that_is_a_part_of_another_leaves_nothing_of_it() -> None:
    assert Masking(["hunter2", "hunter2-비밀"])("x hunter2-비밀 y hunter2") == f"x {MASK} y {MASK}"
    assert Masking([""])("nothing to hide") == "nothing to hide"


@pytest.mark.timeout(60)
def test_many_secrets_are_sorted_but_once() -> None:
    masked = Masking(f"secret-{number}" for number in range(20_000))  # would take a quarter of an hour
    assert masked("secret-19999 secret-7 secret") == "*** *** secret"
