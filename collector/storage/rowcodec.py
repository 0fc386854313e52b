"""A payload as it lies on disk: compressed when that pays, with a checksum of what it was."""

import zlib

from collector.storage.records import Record

_WORTH_TRYING = 128


def label(record: Record) -> str:
    """What a row's checksum covers besides its payload."""
    return f"{record.topic} {record.epoch} {record.seq} {record.stamp_ms}"


def pack(payload: bytes, labelled: str) -> tuple[bytes, int, int]:
    """The body to store, 1 if it is compressed, and the CRC32 of its label and the payload."""
    crc = _checksum(payload, labelled)
    if len(payload) >= _WORTH_TRYING:
        body = zlib.compress(payload, 1)
        if len(body) * 10 < len(payload) * 9:
            return body, 1, crc
    return payload, 0, crc


def unpack(body: bytes, packed: int, crc: int, labelled: str) -> bytes | None:
    """The payload, or None when it, or its label, is not what was stored."""
    try:
        payload = zlib.decompress(body) if packed else bytes(body)
    except (zlib.error, TypeError, ValueError):
        return None
    return payload if _checksum(payload, labelled) == crc else None


def _checksum(payload: bytes, labelled: str) -> int:
    return zlib.crc32(payload, zlib.crc32(labelled.encode()))
