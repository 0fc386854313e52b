"""Why a PLC says no."""

from enum import IntEnum


class NakCode(IntEnum):
    """Error codes of Ethernet modules."""

    TOO_MANY_BLOCKS = 0x01
    DATA_TYPE = 0x02
    NO_SUCH_DEVICE = 0x03
    PAST_THE_END = 0x04
    BLOCK_TOO_LARGE = 0x05
    NAME_LENGTH = 0x11
    TYPE_MISMATCH = 0x12
    LENGTH = 0x76
    CHECKSUM = 0x77
    COMMAND = 0x78


class Nak(Exception):
    """A refusal in the making."""

    def __init__(self, code: int) -> None:
        super().__init__(f"XGT error {code:#06x}")
        self.code = code
