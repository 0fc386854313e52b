"""What can be wrong with a CPU."""

from dataclasses import dataclass, field

from simulators.faults import PlcFaults


@dataclass
class Faults(PlcFaults):
    """Besides those of every PLC (`PlcFaults`):

    =================  ==========================================================================
    wrong_slot         the connection is refused on COTP, as for a rack and slot that hold no CPU
    deaf               the connection stands, but the negotiation is never answered
    put_get_off        every question is refused with 0x8104, as S7-1200/1500 do without PUT/GET
    error              this error in the header for every question, e.g. 0x8500 as 34048
    optimised_blocks   these DBs are refused with 0x0A, as if they had optimised access
    bad_bytes          0x05 for every item that touches one of these bytes of any DB
    fewer              well-formed answers to reads, but the last item has a byte too few
    lost_item          the last item of an answer is left out
    wrong_reference    another reference
    wrong_function     another function
    wrong_length       TPKT promises so many bytes more (less) than come
    fragments          answers come in COTP pieces of at most so many bytes; no fault, but rare
    =================  ==========================================================================

    `optimised_blocks` and `bad_bytes` may be changed in place.
    """

    wrong_slot: bool = False
    deaf: bool = False
    put_get_off: bool = False
    error: int | None = None
    optimised_blocks: set[int] = field(default_factory=set)
    bad_bytes: set[int] = field(default_factory=set)
    fewer: bool = False
    lost_item: bool = False
    wrong_reference: bool = False
    wrong_function: bool = False
    wrong_length: int = 0
    fragments: int = 0
