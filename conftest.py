"""A skipped test is a check that did not happen: where CI is set, it fails unless excused here."""

from __future__ import annotations

import os
from collections.abc import Generator
from typing import Any

import pytest

# Beginning of a skip's reason -> whether it is expected on this machine.
EXCUSES = {
    # ASMNET_DATA=none says that nobody expects the data sets here.
    "needs the research data sets": os.environ.get("ASMNET_DATA") == "none",
    # Containers may not, even as root; the same is tested with errors that are made up.
    "mounting a small file system needs root": True,
    # make test-cluster: Ray's nodes take long to start, and what is done again after a loss is the
    # same with processes of one machine (tests/cli/test_workers.py).
    "needs ray": True,
}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, Any, Any]:
    return judged((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, Any, Any]:
    return judged((yield))


def judged(report: Any) -> Any:
    """The report of a test or a module; an unexpected skip has become a failure."""
    if os.environ.get("CI") and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2].removeprefix("Skipped: ")
        if not any(reason.startswith(known) and here for known, here in EXCUSES.items()):
            report.outcome = "failed"
            report.longrepr = f"skipped, but CI must run this: {reason}"
    return report
