"""Large counts: a seeded sample in CI, the whole by `python -m sync_assets_tests.full_counts`.

    KILLS = Count("kill -9 of a sync into DuckDB", sample=20, full=200)

    @KILLS
    def test_a_killed_sync_leaves_old_or_new_rows(world: World) -> None:
        for _ in range(KILLS.size): ...

What a test does at random, it does by `SEED`, which every run of pytest prints first and takes
from `SAMPLE_SEED`. What it has to tell beyond its count goes to `record_property("figures", ...)`.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import pytest

Test = TypeVar("Test", bound=Callable[..., Any])

FULL = os.environ.get("FULL_COUNTS") == "1"
# in the environment: the workers of pytest-xdist and the processes that tests start have it too
SEED = int(os.environ.setdefault("SAMPLE_SEED", str(random.randrange(10**6))))
HEADER = ("what", "count", "in full", "seconds", "figures")


@dataclass(frozen=True)
class Count:
    """How often a test repeats what it tries; decorates the test."""

    what: str
    sample: int
    full: int

    @property
    def size(self) -> int:
        """The count of this run of pytest."""
        return self.full if FULL else self.sample

    def __call__(self, test: Test) -> Test:
        """Mark a test as one that takes this count."""
        marked: Test = pytest.mark.count.with_args(self)(test)
        return marked


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Hypothesis draws by the same seed, unless it was given one."""
    if config.option.hypothesis_seed is None:
        config.option.hypothesis_seed = str(SEED)


def pytest_sessionstart(session: pytest.Session) -> None:
    """Say the seed first: a run that is ended from outside has said it."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None and not hasattr(session.config, "workerinput"):
        reporter.write_line(f"SAMPLE_SEED={SEED}")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Note the count of a test, where the controller of pytest-xdist reads it too."""
    for marker in item.iter_markers("count"):
        count: Count = marker.args[0]
        item.user_properties.append(("count", [count.what, count.size, count.full]))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """A row for each count that passed."""
    rows = [one for report in terminalreporter.stats.get("passed", []) if (one := _row(report))]
    if rows:
        terminalreporter.write_sep("-", f"counts, SAMPLE_SEED={SEED}")
        table: list[Sequence[str]] = [HEADER, ["---"] * len(HEADER), *rows]
        for row in table:
            terminalreporter.write_line(f"| {' | '.join(row)} |")


def _row(report: pytest.TestReport) -> list[str] | None:
    told: dict[str, Any] = dict(report.user_properties)
    if report.when != "call" or "count" not in told:
        return None
    what, size, full = told["count"]
    figures = str(told.get("figures", ""))
    return [what, f"{size:,}", f"{full:,}", f"{report.duration:.0f}", figures]
