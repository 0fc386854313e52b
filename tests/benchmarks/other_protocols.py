"""S7, XGT and OPC-UA in the collector, read and told, each beside its floor: what `workloads` are for Modbus."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from tests.benchmarks.figures import Figure
from tests.benchmarks.polling import Load, Windows
from tests.benchmarks.site import Site
from tests.benchmarks.tags import DB, Variant, opcua_path, renewed_every_s, tag
from tests.benchmarks.workloads import QUICK, Workload, beside_its_floor

SIZES = (1_000, 10_000)
_QUICK_SIZE = 100
_NODE = "ns=2;s={path}"


@dataclass(frozen=True, slots=True)
class Way:
    """A protocol, or one of its ways, and where its words are. Its floor reads the same ones.

    `words_a_second`: no more is asked of its simulator, which is a process in Python.
    """

    name: str
    protocol: str
    address: str
    connection: Mapping[str, object] = field(default_factory=dict)
    words_a_second: int = 10_000
    subscribe: bool = False

    def workload(self, words: int) -> Workload:
        """So many words as tags × 0.1, each second if that can be; of a subscription as often as they change."""
        interval_s = renewed_every_s(words) if self.subscribe else max(1.0, words / self.words_a_second)
        device = Variant(
            self.name,
            tuple(self._tag(word) for word in range(words)),
            memory=b"",
            interval_ms=round(1000 * interval_s),
            protocol=self.protocol,
            connection=self.connection,
            told=self.subscribe,
        )
        # A window has at least three cycles of a device.
        windows = Windows(3, max(8, 3 * interval_s), 3)
        return Workload(f"{self.name}: {words:,} tags, {interval_s:g} s", Load(device), windows, memory_mb=None)

    def _tag(self, word: int) -> dict[str, object]:
        address = self.address.format(word=word, byte=2 * word, path=opcua_path(word))
        return tag(word, address, "UINT16", 0.1) | ({"mode": "subscribe"} if self.subscribe else {})


WAYS = (
    Way("S7", "s7", f"DB{DB}.DBW{{byte}}"),
    Way("XGT", "xgt", "D{word}", {"family": "xgk"}),
    Way("OPC-UA read", "opcua", _NODE, words_a_second=5_000),
    Way("OPC-UA subscribe", "opcua", _NODE, subscribe=True),
)
_QUICK_WAYS = ("S7", "OPC-UA subscribe")


def measure(at: Site, *, quick: bool) -> Iterator[Figure]:
    """One after the other."""
    for way in WAYS:
        if not quick:
            for words in SIZES:
                yield from beside_its_floor(at, way.workload(words))
        elif way.name in _QUICK_WAYS:
            yield from beside_its_floor(at, replace(way.workload(_QUICK_SIZE), windows=QUICK))
