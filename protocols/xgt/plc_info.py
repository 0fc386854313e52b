"""What every answer says of the PLC itself."""

_CPU_ERROR = 0x0080
_STATES = (
    (0x0400, "ERROR: its own diagnosis says why"),
    (0x0200, "STOP: its program does not run"),
    (0x0800, "DEBUG"),
    (0x0100, "RUN"),
)


def plc_remark(info: int) -> str | None:
    """The PLC-info word in words: ``PLC in RUN``; None when it says nothing, as of some gateways."""
    state = next((text for bit, text in _STATES if info & bit), None)
    if info & _CPU_ERROR:
        return f"PLC with a CPU error, in {state}" if state else "PLC with a CPU error"
    return f"PLC in {state}" if state else None
