"""The families of PLCs that speak XGT, as far as they differ on the wire."""

from dataclasses import dataclass

MOST_BYTES = 1400
"""Of one block, in every family that is not small."""

SMALL_BYTES = 512
"""Of one block, in every family."""


@dataclass(frozen=True, slots=True)
class Family:
    """`cpu` is how requests name the family, `most_bytes` the largest block that it may grant, `sure_bytes` the largest
    that it grants for certain."""

    name: str
    cpu: int
    most_bytes: int
    sure_bytes: int

    @property
    def counts_bits_in_two_ways(self) -> bool:
        """Whether bits may be numbered as word and hexadecimal digit; which PLCs do so is not documented."""
        return self.name == "xgb"


FAMILIES = {
    family.name: family
    for family in (
        Family("auto", 0xA0, MOST_BYTES, SMALL_BYTES),
        Family("xgk", 0xA0, MOST_BYTES, MOST_BYTES),
        Family("xgi", 0xA4, MOST_BYTES, MOST_BYTES),
        Family("xgr", 0xA8, MOST_BYTES, MOST_BYTES),
        Family("xgb", 0xB0, SMALL_BYTES, SMALL_BYTES),
        Family("xgb_iec", 0xB4, SMALL_BYTES, SMALL_BYTES),
    )
}
"""By the names that documents give them."""

LARGE_CPUS = frozenset({0xA0, 0xA4, 0xA8})
"""CPUs whose manuals grant large blocks, by the byte with which answers name them."""
