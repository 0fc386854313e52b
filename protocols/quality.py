"""Good, or why not."""

from enum import StrEnum


class Quality(StrEnum):
    """Why a tag has no value, by the names that go on the wire. ``UNCERTAIN`` comes with a value."""

    BAD_ADDRESS = "bad_address"
    TIMEOUT = "timeout"
    DISCONNECTED = "disconnected"
    DEVICE_ERROR = "device_error"
    OUT_OF_RANGE = "out_of_range"
    NOT_A_NUMBER = "not_a_number"
    NO_VALUE = "no_value"
    BAD_ENCODING = "bad_encoding"
    UNCERTAIN = "uncertain"
