"""Loads libraries without the parts that only their own command lines and terminals need."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without(*libraries: str) -> Iterator[None]:
    """What is imported within finds these not installed, unless they are loaded already. Only for optional ones.

    A collector would carry 5 MB of what httpx and structlog bring for people at terminals, for as long as it runs.
    """
    hidden = [library for library in libraries if library not in sys.modules]
    for library in hidden:
        sys.modules[library] = None  # type: ignore[assignment]  # importlib's own way to say that there is none
    try:
        yield
    finally:
        for library in hidden:
            del sys.modules[library]
