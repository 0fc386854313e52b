"""What can go wrong with the Fleet server and with what it sends, and what each kind asks of the caller.

FleetError
├── FleetUnreachable    nobody answered: name, connection, TLS; keep the last document, try again
├── FleetRefused        401 or 403: somebody must see to the token; ask rarely
├── EdgeUnknown         404: the server knows neither spelling of this edge; ask again at the next interval
├── FleetBadAnswer      somebody answered, but not as the Fleet API does: redirect, web page, too large, too slow
├── NotAConfig          what came is no config document of this edge; the running one stays
└── NotKept             the document could not be written to the disk; it can be used all the same
InvalidCommand          a command payload that can not be understood; answered with `rejected`

The messages are read by the person who must act. None of them ever holds a token, a password or a body.
"""


class FleetError(Exception):
    """Root of everything this package raises on purpose about the Fleet server and its documents."""


class FleetUnreachable(FleetError):
    """No answer: the name was not found, the connection was refused, lost or not trusted."""


class FleetRefused(FleetError):
    """The server does not let this edge in. ``status`` is 401 or 403."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class EdgeUnknown(FleetError):
    """The server has no such edge, under any path and spelling that may be asked now."""


class FleetBadAnswer(FleetError):
    """An answer that no Fleet API gives. ``status`` is its HTTP status, None where it never came so far."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class NotAConfig(FleetError):
    """A body that is no config document, or the document of another edge."""


class NotKept(FleetError):
    """The document could not be stored."""


class InvalidCommand(Exception):
    """A command that can not be understood.

    ``command_id`` is the id as it came, ``id_key`` the key it came with and ``command`` the command's name, each
    None where it could not be read.
    """

    def __init__(
        self,
        message: str,
        command_id: str | int | None = None,
        id_key: str | None = None,
        command: str | None = None,
    ) -> None:
        super().__init__(message)
        self.command_id = command_id
        self.id_key = id_key
        self.command = command
