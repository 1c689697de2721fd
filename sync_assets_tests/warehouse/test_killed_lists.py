"""A sync whose process is killed in the middle of a long list: the next one goes on, exactly."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable
from typing import Any

import pytest

from sync_assets.sources.rest.extract.unfinished import AFTER
from sync_assets_tests.support.counts import SEED, Count
from sync_assets_tests.support.processes import Task, Worker
from sync_assets_tests.support.world import APIS, World

pytestmark = pytest.mark.long

KILLS = Count("kill -9 of a sync at a random page of a long list", sample=6, full=200)
PAGES = 40
#: Of each way of paging: what is synced, the path and the rows of a page.
WAYS = {
    "offset": (Task("promotions", ["users"], {"promotions": ["1"]}), "/users/1", 3),
    "key": (Task("events", ["orders"]), APIS["events"].endpoints["orders"].path, 3),
    "number": (Task("affiliates", ["coupons"]), APIS["affiliates"].endpoints["coupons"].path, 20),
}
#: Requests of the whole list for each page of it: pages that overlap are more.
OVERLAP = {"offset": 1.5, "key": 1.0, "number": 1.4}


class KilledList:
    """A list that lives on while syncs of it are killed and gone on with."""

    def __init__(self, world: World, way: str, dice: random.Random) -> None:
        self.way, (self.task, self.path, self.size) = way, WAYS[way]
        self.world, self.dice, self.gone_on = world, dice, 0
        world.api.page_size, world.api.totals = self.size, True
        world.api.count_from(0)
        world.configure(self.task.source, resume_within=6)
        self._newest = 10_000 + self.size * PAGES
        world.api.lists[self.path] = [self._record(n) for n in range(self._newest, 10_000, -1)]
        self.upcoming = Worker(world.folder)

    @property
    def ids(self) -> list[str]:
        """What the API lists now."""
        return [row["id"] for row in self.world.api.lists[self.path]]

    def kill_and_go_on(self) -> None:
        """Kill a sync at a random page, change the list, sync again; require what must hold."""
        before = self.ids
        killed_at = self.dice.randint(1, len(before) // self.size - 2)
        self._kill(killed_at)
        self._change()
        self.world.api.seen.clear()
        victim, self.upcoming = self.upcoming, Worker(self.world.folder)
        done = victim.sync(self.task)
        victim.kill()
        assert done.green, (done.failure, done.errors)
        assert not list(self.world.folder.glob("sync_assets-unfinished-*/*"))
        table = f"{self.task.source}.{self.task.resources[0]}"
        held = [str(one) for one in self.world.ids(table)]
        assert len(held) == len(set(held))
        assert set(before) & set(self.ids) <= set(held) <= set(before) | set(self.ids)
        assert any("wait on disk" in line for line in done.said) == (killed_at > AFTER)
        if killed_at > AFTER and not any("from its start" in line for line in done.said):
            self.gone_on += 1
            whole = len(self.ids) / self.size * OVERLAP[self.way]
            assert len(self.world.api.asked(self.path)) <= whole - killed_at + 12

    def _kill(self, page: int) -> None:
        victim, self.upcoming = self.upcoming, Worker(self.world.folder)
        left = [page]

        def count_down(body: Any) -> Any:
            left[0] -= 1
            if not left[0]:
                os.kill(victim.pid, signal.SIGKILL)
            return body

        self.world.api.fail(self.path, times=page, edit=count_down)
        victim.start(self.task)
        victim.wait()
        self.world.api.heal()

    def _change(self) -> None:
        rows = self.world.api.lists[self.path]
        changes: list[Callable[[], object]] = [
            lambda: None,
            lambda: rows.__setitem__(slice(0, 0), [self._new() for _ in range(10)][::-1]),
            lambda: rows.__delitem__(slice(0, 5)),
            lambda: rows.__delitem__(self.dice.randrange(len(rows))),
            lambda: rows.__delitem__(slice(len(rows) - 4, len(rows))),
        ]
        is_short = len(rows) < self.size * PAGES * 3 / 4  # it would be read before it is killed
        changes[1]() if is_short else self.dice.choice(changes)()

    def _new(self) -> dict[str, str]:
        self._newest += 1
        return self._record(self._newest)

    def _record(self, number: int) -> dict[str, str]:
        return {"id": f"o{number}" if self.task.source == "events" else str(number)}


@KILLS
@pytest.mark.parametrize("way", WAYS)
def test_a_killed_list_is_gone_on_with_and_exact(
    world: World, way: str, record_property: Callable[[str, object], None]
) -> None:
    killed = KilledList(world, way, random.Random(SEED))
    for _ in range(KILLS.size):
        killed.kill_and_go_on()
    killed.upcoming.kill()
    record_property("figures", f"{way}: {killed.gone_on} of {KILLS.size} gone on with")
