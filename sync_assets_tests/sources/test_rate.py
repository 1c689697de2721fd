"""The rate of an account, in real time: reached, never passed, and one for all processes."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from sync_assets_tests.support.processes import Task, Worker, together, workers
from sync_assets_tests.support.world import World

pytestmark = pytest.mark.long

PER_MINUTE = 200
LISTS = 250
CHILDREN = ("stages", "users")


@pytest.fixture
def pair(world: World) -> Iterator[list[Worker]]:
    """Two processes that use one account, and lists for each of them."""
    for child in CHILDREN:
        world.api.lists.update({f"/{child}/{n}": [{"id": "a"}] for n in range(LISTS)})
    world.configure("promotions", requests_per_minute=PER_MINUTE)
    world.api.latency = 0.05
    with workers(2, world.folder) as made:
        yield made


def tasks(number: int) -> list[Task]:
    """A sync of so many lists for each process, of two resources."""
    halves = [range(number // 2), range(LISTS // 2, LISTS // 2 + number // 2)]
    return [Task("promotions", CHILDREN, {"promotions": [str(n) for n in half]}) for half in halves]


def test_two_processes_reach_the_rate_of_their_account_and_never_pass_it(
    world: World, pair: list[Worker]
) -> None:
    done = together(list(zip(pair, tasks(LISTS), strict=True)))
    assert all(one.green for one in done)
    at = sorted(seen.at for seen in world.api.seen)
    assert len(at) == 2 * LISTS
    assert min(at[i + PER_MINUTE] - at[i] for i in range(len(at) - PER_MINUTE)) >= 60.0
    whole = 2 * PER_MINUTE
    reached = whole / ((at[whole] - at[0]) / 60)
    print(f"{reached:.1f} requests a minute, {world.api.most_in_flight} in flight")  # noqa: T201
    assert 0.95 * PER_MINUTE <= reached <= PER_MINUTE
    assert world.api.most_in_flight <= 2 * 8


def test_one_429_slows_two_processes(world: World, pair: list[Worker]) -> None:
    world.configure("promotions", requests_per_minute=10_000)
    world.api.fail("/users/0", times=1, status=429)
    with workers(2, world.folder, SOURCES__PROMOTIONS__RATE_WINDOW="4") as rested:
        done = together(list(zip(rested, tasks(LISTS), strict=True)))
    assert all(one.green for one in done)
    refused = world.api.asked("/users/0")[0].at + world.api.latency
    at = [seen.at for seen in world.api.seen]
    assert [moment for moment in at if refused + 1.5 < moment < refused + 3.9] == []
    assert min(at) < refused
    assert max(at) > refused + 4
    assert time.monotonic() - refused < 60
