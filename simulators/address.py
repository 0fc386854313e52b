"""Where a simulator listens."""

import socket


def listen(host: str, port: int) -> socket.socket:
    """A listening TCP socket; `port` 0 takes any free one. Raises `OSError` that says what to do."""
    try:
        return socket.create_server((host, port), family=_family(host))
    except OSError as error:
        advice = "if the port is in use, choose another one (0 takes any free port)"
        message = f"can not listen on {host}:{port}: {error.strerror}; {advice}"
        raise OSError(error.errno, message) from error


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
