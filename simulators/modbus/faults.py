"""What can be wrong with a PLC."""

from dataclasses import dataclass, field

from simulators.faults import PlcFaults


@dataclass
class Faults(PlcFaults):
    """Besides those of every PLC (`PlcFaults`):

    =================  ==========================================================================
    silent_units       these unit ids do not answer
    exception          this exception code for every request
    busy               exception 6 for every request
    bad_addresses      exception 2 for every request that touches one of these (zero-based, any table)
    fewer              well-formed answers to reads, but with one register (or byte of bits) too few
    wrong_transaction  another transaction id
    wrong_unit         another unit id
    wrong_function     another function code
    wrong_length       the header promises so many bytes more (less) than come
    wrong_checksum     a checksum that does not fit (RTU)
    =================  ==========================================================================

    `bad_addresses` and `silent_units` may be changed in place.
    """

    silent_units: set[int] = field(default_factory=set)
    exception: int | None = None
    busy: bool = False
    bad_addresses: set[int] = field(default_factory=set)
    fewer: bool = False
    wrong_transaction: bool = False
    wrong_unit: bool = False
    wrong_function: bool = False
    wrong_length: int = 0
    wrong_checksum: bool = False
