"""What can be wrong with a simulated PLC, whatever it speaks."""

from dataclasses import dataclass

from simulators.switchboard import Switchboard


@dataclass
class PlcFaults(Switchboard):
    """Set a field to switch a fault on: ``plc.faults.silent = True``. They add up. `clear` heals everything.

    =================  ==========================================================================
    dead               connections are refused, open ones broken
    connection_limit   at most so many connections; whoever comes then is closed at once
    silent             everything is accepted, nothing is answered
    slow_s             each answer takes so many seconds more
    late               every other answer is held back until just before the next question's answer
    garbage            random bytes in place of the answer
    half_frame         half an answer, then nothing
    half_and_close     half an answer, then the connection is closed
    drip_s             a byte at a time, so many seconds apart
    =================  ==========================================================================
    """

    dead: bool = False
    connection_limit: int | None = None
    silent: bool = False
    slow_s: float = 0.0
    late: bool = False
    garbage: bool = False
    half_frame: bool = False
    half_and_close: bool = False
    drip_s: float = 0.0
