"""A device that is dead as one without power is: nobody answers, not even to refuse."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

_FILLERS = 4


@contextmanager
def black_hole() -> Iterator[int]:
    """A loopback port whose queue of connections is full: the kernel drops whatever else knocks there."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(_FILLERS):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield int(listener.getsockname()[1])
