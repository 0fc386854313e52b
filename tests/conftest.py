"""Row S5 over the whole suite: nothing that a test leaves or says has a canary in it.

A collector that a test runs as a process speaks at DEBUG, each secret that the test does not set itself is a canary,
and at its end its folder is searched, as `CollectorProcess` says. What tests within this process log or print is
searched here.
"""

from collections.abc import Generator

import pytest

from tests.doubles.canaries import excerpts
from tests.doubles.collector_process import CollectorProcess


def pytest_configure() -> None:
    """Only in tests: the benchmarks and the judge's long runs measure what is shipped."""
    CollectorProcess.canaries = True


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that passed, but said a secret, has an error at its end."""
    report = yield
    if report.when == "teardown" and report.passed:
        said = "\n".join(text for _, text in report.sections).encode(errors="surrogatepass")
        if found := excerpts(said):
            report.outcome = "failed"
            report.longrepr = f"a secret was logged or printed: {found}"
    return report
