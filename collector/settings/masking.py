"""Takes secrets out of a text, in each form in which a text may hold them."""

import base64
import json
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

MASK = "***"
SHORTEST_SECRET = 4
"""Masking what is shorter would mask half of every text."""


class Masking:
    """``Masking(secrets)(text)`` is the text with `MASK` for every secret, also where it is escaped or encoded."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._forms = _longest_first(secrets)

    def hide(self, secret: str) -> None:
        """From now on this one too, unless it is too short. May be called from any thread."""
        if len(secret) < SHORTEST_SECRET or secret in self._forms:
            return
        self._forms = _longest_first([secret], self._forms)

    def __call__(self, text: str) -> str:
        for form in self._forms:
            if form in text:
                text = text.replace(form, MASK)
        return text


def _longest_first(secrets: Iterable[str], forms: Iterable[str] = ()) -> list[str]:
    """One secret may be a part of another."""
    found = {form for secret in secrets if len(secret) >= SHORTEST_SECRET for form in forms_of(secret)}
    return sorted(found.union(forms), key=len, reverse=True)


def forms_of(secret: str) -> Iterator[str]:
    """As it is, as JSON and Python escape it, as URLs encode it, and in base64."""
    raw = secret.encode("utf-8", "surrogatepass")
    yield from (secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], repr(secret)[1:-1])
    yield from (quote(raw, safe=""), quote(raw), quote_plus(raw))
    yield base64.b64encode(raw).decode().rstrip("=")
    yield base64.urlsafe_b64encode(raw).decode().rstrip("=")
