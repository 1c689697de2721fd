"""A fake account and an own warehouse file for each test; nothing of the developer's is used."""

from __future__ import annotations

import gc

import pytest
import xdist

from sync_assets_tests.support import counts
from sync_assets_tests.support.counts import (
    pytest_configure,
    pytest_runtest_setup,
    pytest_terminal_summary,
)

__all__ = ["pytest_configure", "pytest_runtest_setup", "pytest_terminal_summary"]


def pytest_sessionstart(session: pytest.Session) -> None:
    """Make the fixtures known, but to the controller of pytest-xdist, which runs no test.

    It would import Dagster and dlt for them, for seconds in which no worker starts.
    """
    counts.pytest_sessionstart(session)
    if not xdist.is_xdist_controller(session):
        gc.disable()
        session.config.pluginmanager.import_plugin("sync_assets_tests.support.fixtures")


def pytest_collection_finish() -> None:
    """Look for garbage seldom, and among what tests make: what was imported is none."""
    gc.freeze()
    gc.set_threshold(10_000)
    gc.enable()
