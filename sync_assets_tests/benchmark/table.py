"""The results as a table in Markdown."""

from __future__ import annotations

import os
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from platform import python_version

from sync_assets_tests.benchmark.contenders import CONTENDERS
from sync_assets_tests.benchmark.contest import Result

HEADINGS = ("latency", "contender", "sync, s", "× limit", "process, s", "requests")
RULE = "|--:|---|--:|--:|--:|--:|"
PACKAGES = ("dagster", "dlt", "duckdb")


@dataclass(frozen=True)
class Line:
    """The medians of one contender at one latency, in milliseconds."""

    latency: int
    name: str
    sync: float | None
    ratio: float | None
    process: float
    requests: int

    @property
    def title(self) -> str:
        """The contender in words."""
        return CONTENDERS[self.name].title


def lines(latency: int, rounds: Sequence[Mapping[str, Result]]) -> list[Line]:
    """The medians of all rounds at one latency, and how they compare to the limit."""
    medians = {name: _sync([turn[name] for turn in rounds]) for name in rounds[0]}
    limit = medians.get("limit")
    return [
        Line(
            latency,
            name,
            sync,
            sync / limit if sync and limit else None,
            statistics.median(turn[name].process for turn in rounds),
            round(statistics.median(turn[name].requests for turn in rounds)),
        )
        for name, sync in medians.items()
    ]


def markdown(found: Sequence[Line]) -> str:
    """A row for each contender at each latency."""
    rows = [
        (f"{line.latency} ms", line.title, _two(line.sync), _two(line.ratio), _two(line.process),
         str(line.requests))
        for line in found
    ]  # fmt: skip
    body = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([f"| {' | '.join(HEADINGS)} |", RULE, *body])


def machine() -> str:
    """What the figures depend on beside the code."""
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{cores} cores, Python {python_version()}, {packages}"


def _sync(results: Sequence[Result]) -> float | None:
    seconds = [result.sync for result in results if result.sync is not None]
    return statistics.median(seconds) if seconds else None


def _two(number: float | None) -> str:
    return "-" if number is None else f"{number:.2f}"
