"""An XGT client that is not of our making: PyPI's pyXGTClient, which blocks and knows no event loop."""

import asyncio
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest


@contextmanager
def judge(port: int) -> Iterator[Any]:
    """A client of the PLC at a port. Without the package the test is skipped, but in CI it fails."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # it imports what newer Pythons lay down
            from pyXGTClient.client import XGTClient
    except ImportError as error:
        if os.environ.get("CI"):
            pytest.fail(f"pyXGTClient is not installed, which CI insists on: {error}")
        pytest.skip(f"pyXGTClient is not installed: {error}")
    client = XGTClient(host="127.0.0.1", port=port, timeout=5)
    try:
        assert client.open(), client.last_error_as_txt
        yield client
    finally:
        client.close()


async def ask(method: Any, *arguments: object) -> Any:
    """Let the judge do something, off the event loop that the PLC runs on."""
    return await asyncio.to_thread(method, *arguments)
