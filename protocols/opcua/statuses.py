"""What a server's status codes (OPC 10000-6, annex A.2) mean for a tag."""

from protocols.quality import Quality

_SEVERITY = 0xC000_0000
_BAD, _UNCERTAIN = 0x8000_0000, 0x4000_0000
_CODE = 0xFFFF_0000  # what is below says nothing of the value: info bits

_MEANINGS = {
    Quality.BAD_ADDRESS: (
        0x8033_0000,  # BadNodeIdInvalid
        0x8034_0000,  # BadNodeIdUnknown
        0x8035_0000,  # BadAttributeIdInvalid
        0x8036_0000,  # BadIndexRangeInvalid
        0x8037_0000,  # BadIndexRangeNoData
        0x803A_0000,  # BadNotReadable
        0x803E_0000,  # BadNotFound
        0x805B_0000,  # BadParentNodeIdInvalid
        0x801F_0000,  # BadUserAccessDenied
        0x8043_0000,  # BadMonitoredItemFilterInvalid
        0x8089_0000,  # BadConfigurationError
    ),
    Quality.DISCONNECTED: (
        0x808A_0000,  # BadNotConnected
        0x8031_0000,  # BadNoCommunication
        0x80AD_0000,  # BadDisconnect
        0x8005_0000,  # BadCommunicationError
    ),
    Quality.TIMEOUT: (
        0x800A_0000,  # BadTimeout
        0x8085_0000,  # BadRequestTimeout
    ),
    Quality.NO_VALUE: (
        0x8032_0000,  # BadWaitingForInitialData
        0x809B_0000,  # BadNoData
        0x80B1_0000,  # BadNoDataAvailable
    ),
    Quality.OUT_OF_RANGE: (0x803C_0000,),  # BadOutOfRange
}
_QUALITIES = {code: quality for quality, codes in _MEANINGS.items() for code in codes}

_SESSION_OVER = frozenset(
    {
        0x800C_0000,  # BadShutdown
        0x800D_0000,  # BadServerNotConnected
        0x800E_0000,  # BadServerHalted
        0x8020_0000,  # BadIdentityTokenInvalid
        0x8022_0000,  # BadSecureChannelIdInvalid
        0x8025_0000,  # BadSessionIdInvalid
        0x8026_0000,  # BadSessionClosed
        0x8027_0000,  # BadSessionNotActivated
        0x8086_0000,  # BadSecureChannelClosed
        0x8087_0000,  # BadSecureChannelTokenUnknown
        0x8088_0000,  # BadSequenceNumberInvalid
        0x80AC_0000,  # BadConnectionRejected
        0x80AE_0000,  # BadConnectionClosed
    }
)
_TOO_MUCH = frozenset(
    {
        0x8008_0000,  # BadEncodingLimitsExceeded
        0x8010_0000,  # BadTooManyOperations
        0x8080_0000,  # BadTcpMessageTooLarge
        0x80B8_0000,  # BadRequestTooLarge
        0x80B9_0000,  # BadResponseTooLarge
    }
)
NO_SUBSCRIPTION = 0x8079_0000
"""BadNoSubscription: whoever asks to be told something watches nothing."""

TIMEOUT = 0x800A_0000
"""BadTimeout."""

_NO_FILTER = frozenset(
    {
        0x8044_0000,  # BadMonitoredItemFilterUnsupported
        0x8045_0000,  # BadFilterNotAllowed
        0x808E_0000,  # BadDeadbandFilterInvalid
        0x8043_0000,  # BadMonitoredItemFilterInvalid
    }
)


def quality_of(code: int) -> Quality | None:
    """None for good, `UNCERTAIN` for a value that is to be taken with care, else why there is none."""
    severity = code & _SEVERITY
    if severity == 0:
        return None
    if severity == _UNCERTAIN:
        return Quality.UNCERTAIN
    return _QUALITIES.get(code & _CODE, Quality.DEVICE_ERROR)


def is_bad(code: int) -> bool:
    """Whether it tells of a failure."""
    return code & _BAD != 0


def ends_session(code: int) -> bool:
    """Whether nothing more can be asked on this session."""
    return code & _CODE in _SESSION_OVER


def asks_for_less(code: int) -> bool:
    """Whether the server would have answered had less been asked for at once."""
    return code & _CODE in _TOO_MUCH


def refuses_filter(code: int) -> bool:
    """Whether the node can be watched, but not with a deadband."""
    return code & _CODE in _NO_FILTER
