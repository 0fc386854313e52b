from collections.abc import Callable, Mapping

import pytest

from tests.doubles.clock import LeapingLoop


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> Mapping[str, Callable[[], LeapingLoop]]:
    """A rollout without a disk is pure asyncio: its probations take no time here."""
    return {"leaping": LeapingLoop}
