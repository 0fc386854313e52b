"""What can be wrong with a PLC."""

from dataclasses import dataclass, field

from simulators.switchboard import Switchboard


@dataclass
class Faults(Switchboard):
    """Set a field to switch a fault on: ``plc.faults.silent = True``. They add up. `clear` heals everything.

    =================  ==========================================================================
    dead               connections are refused, open ones broken
    connection_limit   at most so many connections; whoever comes then is closed at once
    silent             everything is accepted, nothing is answered
    silent_units       these unit ids do not answer
    slow_s             each answer takes so many seconds more
    late               every other answer is held back until just before the next request's answer
    exception          this exception code for every request
    busy               exception 6 for every request
    bad_addresses      exception 2 for every request that touches one of these (zero-based, any table)
    fewer              well-formed answers to reads, but with one register (or byte of bits) too few
    wrong_transaction  another transaction id
    wrong_unit         another unit id
    wrong_function     another function code
    wrong_length       the header promises so many bytes more (less) than come
    wrong_checksum     a checksum that does not fit (RTU)
    garbage            random bytes in place of the answer
    half_frame         half an answer, then nothing
    half_and_close     half an answer, then the connection is closed
    drip_s             a byte at a time, so many seconds apart
    =================  ==========================================================================

    `bad_addresses` and `silent_units` may be changed in place.
    """

    dead: bool = False
    connection_limit: int | None = None
    silent: bool = False
    silent_units: set[int] = field(default_factory=set)
    slow_s: float = 0.0
    late: bool = False
    exception: int | None = None
    busy: bool = False
    bad_addresses: set[int] = field(default_factory=set)
    fewer: bool = False
    wrong_transaction: bool = False
    wrong_unit: bool = False
    wrong_function: bool = False
    wrong_length: int = 0
    wrong_checksum: bool = False
    garbage: bool = False
    half_frame: bool = False
    half_and_close: bool = False
    drip_s: float = 0.0
