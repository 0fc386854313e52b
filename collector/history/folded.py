"""A scan as small as it can be kept until it is written: 9 bytes a number, where the objects take 32."""

import pickle
from dataclasses import dataclass
from typing import Self

from collector.config.plan import DevicePlan
from collector.polling.scan import Scan


@dataclass(frozen=True, slots=True)
class FoldedScan:
    """A scan whose values and qualities are bytes. `device`, `stamp_ms` and `names` are the scan's own."""

    device: DevicePlan
    stamp_ms: int
    names: tuple[str, ...]
    body: bytes

    @classmethod
    def of(cls, scan: Scan) -> Self:
        """Takes 10 µs for a thousand values."""
        return cls(
            scan.device, scan.stamp_ms, scan.names, pickle.dumps((scan.values, scan.bad), pickle.HIGHEST_PROTOCOL)
        )

    def unfold(self) -> Scan:
        """The scan again, with values of the same types."""
        values, bad = pickle.loads(self.body)  # noqa: S301 - our own bytes, which never left this process
        return Scan(self.device, self.stamp_ms, self.names, values, bad)
