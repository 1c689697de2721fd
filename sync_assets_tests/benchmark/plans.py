"""What a plan costs, told and clocked; and lists that wait where it does not fit.

`python -m sync_assets_tests.benchmark.plans`: on virtual clocks, within a minute. The limiter, the
verdicts and the budget are the project's own; "before" asks for all that is due.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

import pytest

from sync_assets.lib.assets.sync_config import Listed
from sync_assets.lib.automation.budget import affordable
from sync_assets.planning.duration import Pace, Reading
from sync_assets.planning.forecast import Forecast
from sync_assets.planning.list_freshness import ListFreshness
from sync_assets.sources.rest.http.usage import Usage
from sync_assets.sources.rest.http.windows import Quota
from sync_assets_tests.support.clocked import ACCOUNTS, seconds_of_lists
from sync_assets_tests.support.played import START, Played, live, longest_waits
from sync_assets_tests.support.world import APIS

LATENCY, IN_FLIGHT = 0.3, 8
ROUNDS = 4


def main() -> None:
    """Print both tables."""
    print("| account | requests | minutes told | minutes clocked |")  # noqa: T201
    print("|---|--:|--:|--:|")  # noqa: T201
    for row in minutes():
        print(row)  # noqa: T201
    print("\n| times the quota | | tables wait, h | partitions wait, h | "  # noqa: T201
          "reads of a table | reads of a partition | most requests under way |")  # fmt: skip
    print("|--:|---|--:|--:|--:|--:|--:|")  # noqa: T201
    for row in waits(3.0):
        print(row)  # noqa: T201


def minutes() -> Iterator[str]:
    """How long a full sync takes: as told, and on the clock of the limiter."""
    for name, lists in ACCOUNTS.items():
        quota = Quota(tuple(APIS[name.partition(",")[0]].windows), reserve=0.2)
        told = Pace(IN_FLIGHT, LATENCY, quota).seconds(Reading.of(lists))
        clocked = seconds_of_lists(Usage(), quota, lists, LATENCY, IN_FLIGHT)
        yield f"| {name} | {sum(lists):,} | {told / 60:,.1f} | {clocked / 60:,.1f} |"


def waits(times: float) -> Iterator[str]:
    """How long lists wait for their turn, before and now."""
    for name, budget in (("before", _all), ("now", affordable)):
        played = Played(times, budget)
        with pytest.MonkeyPatch.context() as patch:
            for variable, value in played.quota.items():
                patch.setenv(variable, value)
            played.play(ROUNDS * times)
        waited = longest_waits(played, START + timedelta(days=times))
        reads = {one: len(played.reads[one]) for one in live(played.requested)}
        tables = [count for (_, parent), count in reads.items() if parent is None]
        below = [count for (_, parent), count in reads.items() if parent is not None]
        yield (
            f"| {times:g} | {name} | {waited[False]:,.0f} | {waited[True]:,.0f} | "
            f"{min(tables)} to {max(tables)} | {min(below)} to {max(below)} | {played.most:,.0f} |"
        )


def _all(found: Forecast, due: Sequence[ListFreshness], busy: set[Listed]) -> list[ListFreshness]:
    return list(due)


if __name__ == "__main__":
    main()
