"""Keeps the garbage collector from stopping the event loop over what planning makes, none of which is garbage."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

MANY_OBJECTS = 50_000


@contextmanager
def quiet_heap() -> Iterator[None]:
    """No collection within; what was made, if it is much, is not looked through by later ones either.

    A full collection takes 25 ms for the objects of 10,000 tags. Only what is much is frozen, for what is garbage then
    stays for good. One such block at a time.
    """
    gc.collect(1)
    gc.disable()
    try:
        yield
        if gc.get_count()[0] > MANY_OBJECTS:
            gc.freeze()
    finally:
        gc.enable()
