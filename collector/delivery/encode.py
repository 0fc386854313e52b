"""From a scan to the data message: named values, quality where something is not good, split where it is too large."""

from collections.abc import Callable, Mapping

from collector.clock import iso_utc
from collector.delivery.message import Message
from collector.polling.scan import Scan
from fleet_client.payloads import DataMeta, data_body
from protocols.base import Value

MAX_PAYLOAD_BYTES = 128 * 1024


class ScanEncoder:
    """Makes the messages of one edge. `next_seq` numbers them; `topic` and `clock_in_doubt` are asked each time."""

    def __init__(
        self,
        *,
        topic: Callable[[], str],
        epoch: str,
        next_seq: Callable[[], int],
        meta: bool,
        send_empty: bool,
        clock_in_doubt: Callable[[], bool] = lambda: False,
        max_bytes: int = MAX_PAYLOAD_BYTES,
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
        tags = _values(scan)
        if not tags and not self._send_empty and not (scan.reduced and self._meta):
            return []  # but where others had values, a changed quality is worth a message
        seq = self._next_seq()
        body = self._body(scan, tags, _quality(scan), seq, None)
        if len(body) <= self._max_bytes or len(tags) < 2:
            return [(seq, Message(self._topic(), body))]
        return self._split(scan, tags, seq, -(-len(body) // self._max_bytes))

    def _split(self, scan: Scan, tags: dict[str, Value], seq: int, parts: int) -> list[tuple[int, Message]]:
        """Tags in the config's order over so many parts that each is small enough; quality goes with the first."""
        names = list(tags)
        while True:
            share = -(-len(names) // parts)
            slices = [names[start : start + share] for start in range(0, len(names), share)]
            chunks = [{name: tags[name] for name in chunk} for chunk in slices]
            quality = _quality(scan)
            sizes = [
                len(self._body(scan, chunk, quality if first == 0 else None, seq, (1, parts)))
                for first, chunk in enumerate(chunks)
            ]
            if max(sizes) <= self._max_bytes or share == 1:
                break
            parts += 1
        numbers = [seq, *(self._next_seq() for _ in chunks[1:])]
        return [
            (
                number,
                Message(
                    self._topic(),
                    self._body(scan, chunk, quality if part == 1 else None, number, (part, len(chunks))),
                ),
            )
            for part, (number, chunk) in enumerate(zip(numbers, chunks, strict=True), 1)
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
