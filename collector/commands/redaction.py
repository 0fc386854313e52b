"""A configuration document as it may be shown: without what opens doors."""

import json
from collections.abc import Mapping

MASK = "***"
_SECRET_PARTS = ("password", "passwd", "secret", "token", "credential", "privatekey", "apikey")


def without_secrets(body: bytes) -> Mapping[str, object]:
    """The document as an object, every value under a key that speaks of a secret replaced by ``***``."""
    return _masked_object(json.loads(body.decode("utf-8-sig")))


def _masked_object(fields: Mapping[str, object]) -> Mapping[str, object]:
    return {key: MASK if _is_secret(key) and value else _masked(value) for key, value in fields.items()}


def _masked(value: object) -> object:
    if isinstance(value, dict):
        return _masked_object(value)
    if isinstance(value, list):
        return [_masked(inner) for inner in value]
    return value


def _is_secret(key: str) -> bool:
    bare = key.lower().replace("_", "").replace("-", "").replace(" ", "")
    return any(part in bare for part in _SECRET_PARTS)
