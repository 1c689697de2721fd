"""Three machines that use one account at a time, on a service that enforces its window."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass

from sync_assets.sandbox import SECRETS, Account, Manners, Sandbox, Scale
from sync_assets_tests.support.processes import Task, Worker, together
from sync_assets_tests.support.world import World

#: Requests in seconds, as the service enforces them.
WINDOW = (30, 1.0)
LISTS = 120


@dataclass(frozen=True)
class Together:
    """What came of syncs: whether all lists are whole, the requests, and how many met a 429."""

    green: bool
    requests: int
    refused: int


def three_machines(world: World, redis_url: str | None, quota: str) -> Together:
    """Sync 120 lists from three machines, each of which is configured so.

    A machine is a process with a folder of its own for temporary files.
    """
    scale = Scale(promotions=LISTS, users=1, exact=True)
    manners = Manners(windows=(WINDOW,), headers=False)
    with Sandbox(Account(scale=scale), manners=manners) as sandbox, ExitStack() as stack:
        asked = {"base_url": sandbox.base_url("promotions"), "bearer_token": SECRETS["promotions"]}
        world.configure("promotions", **asked, quota=quota, quota_reserve=0, max_retries=9)
        world.monkeypatch.delenv("SOURCES__PROMOTIONS__REQUESTS_PER_MINUTE", raising=False)
        if redis_url is not None:
            world.monkeypatch.setenv("QUOTA__REDIS_URL", redis_url)
        ids = Account(scale=scale).parents("promotions", "users")
        machines = []
        for n in range(3):
            (folder := world.folder / f"machine{n}").mkdir()
            machines.append(Worker(folder))
            stack.callback(machines[-1].kill)
        tasks = [Task("promotions", ["users"], {"promotions": ids[n::3]}) for n in range(3)]
        done = together(list(zip(machines, tasks, strict=True)))
        return Together(all(one.green for one in done), sandbox.requests, sandbox.refused)
