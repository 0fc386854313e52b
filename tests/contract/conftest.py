from collections.abc import AsyncIterator

import pytest

from tests.contract.bench import BENCHES, Bench, Reader

TIMEOUT_S = 0.25


@pytest.fixture(params=BENCHES)
async def bench(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    """Every protocol's bench in turn, its device running."""
    bench: Bench = request.param()
    await bench.device.start()
    yield bench
    await bench.device.stop()


@pytest.fixture
async def reader(bench: Bench) -> AsyncIterator[Reader]:
    """Connected to the bench's device; an answer may take a quarter of a second."""
    reader = Reader(bench, bench.driver.connection(bench.fields(), TIMEOUT_S))
    await reader.open()
    yield reader
    await reader.session.close()
