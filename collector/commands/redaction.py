"""A configuration document as it may be shown: without what opens doors."""

import json
import re
from collections.abc import Mapping

from collector.settings.masking import MASK

_SECRET_PARTS = ("password", "passwd", "passphrase", "pwd", "secret", "token", "credential", "privatekey", "apikey")

_URL_LOGIN = re.compile(r"(\w://)[^/\s@]*:[^/\s]*@")


def without_secrets(body: bytes) -> Mapping[str, object]:
    """The document as an object, with ``***`` for every value under a key that speaks of a secret and for every log-in
    inside a URL. `body` is JSON in any of its encodings."""
    return _masked_object(json.loads(body))


def _masked_object(fields: Mapping[str, object]) -> Mapping[str, object]:
    return {key: MASK if _is_secret(key) and value else _masked(value) for key, value in fields.items()}


def _masked(value: object) -> object:
    if isinstance(value, dict):
        return _masked_object(value)
    if isinstance(value, list):
        return [_masked(inner) for inner in value]
    return _URL_LOGIN.sub(rf"\1{MASK}@", value) if isinstance(value, str) else value


def _is_secret(key: str) -> bool:
    bare = key.lower().replace("_", "").replace("-", "").replace(" ", "")
    return any(part in bare for part in _SECRET_PARTS)
