"""From a scan to the data message: named values, quality where something is not good, split where it is too large."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from collector.clock import iso_utc
from collector.delivery.message import Message
from collector.polling.scan import Scan
from fleet_client.encoding import encoded
from fleet_client.payloads import DataMeta, data_body
from protocols.base import Value

MAX_PAYLOAD_BYTES = 128 * 1024
_MANY_PARTS = (10_000_000, 10_000_000)
_NO_QUALITY = {"*": ""}


class ScanEncoder:
    """Makes the messages of one edge. `next_seq` numbers them.

    `topic`, how many bytes a payload on it may have, and `clock_in_doubt` are asked anew each time.
    """

    def __init__(
        self,
        *,
        topic: Callable[[], str],
        epoch: str,
        next_seq: Callable[[], int],
        meta: bool,
        send_empty: bool,
        clock_in_doubt: Callable[[], bool] = lambda: False,
        max_bytes: Callable[[str], int] = lambda _: MAX_PAYLOAD_BYTES,
    ) -> None:
        self._topic = topic
        self._epoch = epoch
        self._next_seq = next_seq
        self._meta = meta
        self._send_empty = send_empty
        self._clock_in_doubt = clock_in_doubt
        self._max_bytes = max_bytes

    def messages(self, scan: Scan) -> list[tuple[int, Message]]:
        """The scan's messages with their sequence numbers: one, several where it is too large, or none."""
        tags, quality = _values(scan), _quality(scan)
        if not tags and not self._send_empty and not (scan.reduced and self._meta):
            return []  # but where others had values, a changed quality is worth a message
        seq, topic = self._next_seq(), self._topic()
        largest = self._max_bytes(topic)
        body = self._body(scan, tags, quality, seq, None)
        if len(body) <= largest:
            return [(seq, Message(topic, body))]
        shares = _shares(tags, quality or {}, largest - len(self._body(scan, {}, _NO_QUALITY, seq, _MANY_PARTS)))
        numbers = [seq, *(self._next_seq() for _ in shares[1:])]
        return [
            (number, Message(topic, self._body(scan, share.tags, share.quality, number, _part(part, len(shares)))))
            for part, (number, share) in enumerate(zip(numbers, shares, strict=True), 1)
        ]

    def _body(
        self,
        scan: Scan,
        tags: Mapping[str, Value],
        quality: Mapping[str, str] | None,
        seq: int,
        part: tuple[int, int] | None,
    ) -> bytes:
        device = scan.device
        clock = "unsynced" if self._meta and self._clock_in_doubt() else None
        meta = DataMeta(self._epoch, seq, quality, clock, part) if self._meta else None
        return data_body(iso_utc(scan.stamp_ms), device.equipment_id, device.connection_id, tags, meta)


@dataclass(slots=True)
class Share:
    """The tags of one part, and what is to be said of their quality. `size`: their bytes in JSON, with commas."""

    tags: dict[str, Value] = field(default_factory=dict)
    quality: dict[str, str] = field(default_factory=dict)
    size: int = 0


def _shares(tags: Mapping[str, Value], quality: Mapping[str, str], room: int) -> list[Share]:
    """In the config's order, each as full as the room allows; what is too large by itself is alone in its share."""
    shares = [Share()]
    for name in dict.fromkeys((*tags, *quality)):
        value = {name: tags[name]} if name in tags else {}
        doubt = {name: quality[name]} if name in quality else {}
        size = sum(len(encoded(entry)) - 1 for entry in (value, doubt) if entry)
        if shares[-1].size and shares[-1].size + size > room:
            shares.append(Share())
        share = shares[-1]
        share.tags |= value
        share.quality |= doubt
        share.size += size
    return shares


def _part(part: int, parts: int) -> tuple[int, int] | None:
    return (part, parts) if parts > 1 else None


def _values(scan: Scan) -> dict[str, Value]:
    if not scan.bad:
        return dict(zip(scan.names, scan.values, strict=True))  # type: ignore[arg-type]  # none bad: none is None
    return {name: value for name, value in zip(scan.names, scan.values, strict=True) if value is not None}


def _quality(scan: Scan) -> dict[str, str] | None:
    if not scan.bad:
        return None
    if not scan.reduced and len(scan.bad) == len(scan.names) and len(set(scan.bad.values())) == 1:
        return {"*": next(iter(scan.bad.values())).value}
    return {scan.names[position]: quality.value for position, quality in sorted(scan.bad.items())}
