"""What can be wrong with a PLC."""

from dataclasses import dataclass, field

from simulators.faults import PlcFaults


@dataclass
class Faults(PlcFaults):
    """Besides those of every PLC (`PlcFaults`):

    =================  ==========================================================================
    nak                this error code for every request
    bad_addresses      error 0x0004 for every request that touches one of these words, in any device
    short_nak          error codes of one byte, as in old manuals
    fewer              well-formed answers to reads, but with a word (or a bit) too few in the last block
    wrong_invoke       another invoke id
    wrong_command      another command
    wrong_count        another count of blocks
    wrong_length       the header promises so many bytes more (less) than come
    wrong_company      the header of another maker
    no_checksum        headers without their sum
    strict_checksum    error 0x0077 for headers whose sum is left out or wrong
    stopped            the PLC says that it is in STOP
    in_error           the PLC says that it is in ERROR
    =================  ==========================================================================

    `bad_addresses` may be changed in place.
    """

    nak: int | None = None
    bad_addresses: set[int] = field(default_factory=set)
    short_nak: bool = False
    fewer: bool = False
    wrong_invoke: bool = False
    wrong_command: bool = False
    wrong_count: bool = False
    wrong_length: int = 0
    wrong_company: bool = False
    no_checksum: bool = False
    strict_checksum: bool = False
    stopped: bool = False
    in_error: bool = False
