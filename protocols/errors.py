"""What can go wrong with a PLC, and what each kind asks of the caller.

ProtocolError
├── Refused            configuration: this tag or connection can not be used; wait for a new document
├── Unwritable         a value that can not be written to this tag; nothing was sent
├── RequestRefused     the device answered, and the answer was no; the session lives on
└── SessionError       drop the session, back off, reconnect
    ├── ConnectFailed  nobody there, or not willing to talk
    ├── NoAnswer       the deadline passed in silence
    ├── SessionLost    the peer closed, or the link broke
    └── BadAnswer      what came does not answer what was asked; none of it may be used

A driver turns every foreign exception into one of these. The messages are read by the person who must act.
"""

from protocols.quality import Quality


class ProtocolError(Exception):
    """Root of everything a driver raises on purpose."""


class Refused(ProtocolError):
    """A tag's or connection's configuration can not be used.

    ``field`` is the document's own field name (``address``, ``data_type``, ``host``); the message says what
    was found and what is expected.
    """

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class Unwritable(ProtocolError):
    """A value can not be written to a tag. ``code`` is ``wrong_type``, ``out_of_range`` or ``not_writable``."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class RequestRefused(ProtocolError):
    """The device refused one request.

    ``quality`` is what its tags get when nothing finer is known. ``isolate`` tells whether a part of the
    request may be to blame, so that asking for less can save the rest. ``whole`` tells that every tag of this
    request would be refused for the same reason, so that splitting it is of no use. ``tags`` narrows both to these
    of `Request.tags`, where the device said which: all others have their value, or their quality, in the cycle.
    """

    def __init__(
        self,
        quality: Quality,
        message: str,
        *,
        isolate: bool = False,
        whole: bool = False,
        tags: tuple[int, ...] | None = None,
    ) -> None:
        super().__init__(message)
        self.tags = tags
        self.quality = quality
        self.isolate = isolate
        self.whole = whole


class SessionError(ProtocolError):
    """The session can not be used any more."""

    quality = Quality.DISCONNECTED


class ConnectFailed(SessionError):
    """No session could be opened."""


class NoAnswer(SessionError):
    """The device did not answer in time. On a link that several units share, the link itself may be well."""

    quality = Quality.TIMEOUT


class SessionLost(SessionError):
    """The connection broke while it was in use."""


class BadAnswer(SessionError):
    """The answer belongs to another request, or to none."""

    quality = Quality.DEVICE_ERROR
