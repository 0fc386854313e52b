"""What can be wrong with an OPC-UA server, and with the process behind it."""

from dataclasses import dataclass

from simulators.switchboard import Switchboard


@dataclass
class Faults(Switchboard):
    """Set a field to switch a fault on: ``plc.faults.silent = True``. They add up. `clear` heals everything.

    =========  ======================================================================
    dead       connections are refused, open ones broken
    silent     everything is accepted, nothing is answered
    slow_s     what the server says is held back for so many seconds
    frozen     the process stands still: no value changes any more
    bad        every value of the line becomes BadSensorFailure
    uncertain  every value of the line becomes UncertainLastUsableValue
    =========  ======================================================================
    """

    dead: bool = False
    silent: bool = False
    slow_s: float = 0.0
    frozen: bool = False
    bad: bool = False
    uncertain: bool = False
