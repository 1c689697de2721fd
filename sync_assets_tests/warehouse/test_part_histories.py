"""What holds of codes between two sweeps, in random lives of vouchers, and after kills."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from sync_assets.warehouse.connection.lock import silent, single_writer
from sync_assets_tests.support.counts import SEED, Count
from sync_assets_tests.support.killing import MOMENTS
from sync_assets_tests.support.postgres import PostgresWorld, either_warehouse
from sync_assets_tests.support.processes import Task, Worker
from sync_assets_tests.warehouse.test_parts import BOTH, Vouchers

pytestmark = pytest.mark.long
HISTORIES = Count("histories of vouchers and codes", sample=1, full=20)
KILLS = Count("kill -9 of reads below vouchers that changed", sample=4, full=60)
SYNCS = 12
Property = Callable[[str, object], None]


class Lives(Vouchers):
    """Vouchers that come, change and go; `due` are those whose codes a head has to read.

    `untold` counts by voucher the codes that came without a change of its row.
    """

    def begin(self, seed: int) -> None:
        """Some vouchers, swept."""
        self.dice, self.number, self.due = random.Random(seed), 0, set(self.rows)
        self.expected: dict[str, list[str]] = {}
        self.untold = Counter[str]()
        self.fates = Counter[str]()
        for _ in range(self.dice.randint(3, 8)):
            self.change("issue")
        self.check("sweep", set())

    def codes(self, voucher: str) -> list[str]:
        """What the API lists of a voucher."""
        return sorted(row["id"] for row in self.world.api.lists[self.path(voucher)])

    def change(self, step: str) -> None:
        """Let something happen to a voucher."""
        self.number += 1
        voucher = self.dice.choice(sorted(self.rows))
        if step == "issue":
            voucher = f"n{self.number}"
            self.issue(voucher, *(f"c{n}" for n in range(self.dice.randint(0, 4))))
            self.due.add(voucher)
        elif step == "end" and len(self.rows) > 1:
            self.world.api.lists["/vouchers"].remove(self.rows[voucher])
            self.due.discard(voucher)
        elif step == "rename":
            self.rows[voucher]["name"] = str(self.number)
            self.due.add(voucher)
        elif step == "redeem" and self.codes(voucher):
            self.world.api.lists[self.path(voucher)].pop()
        elif step == "add":
            self.world.api.lists[self.path(voucher)].append({"id": f"c{self.number}"})
        if step in ("redeem", "add") and self.dice.random() < 2 / 3:
            self.rows[voucher]["total_codes"] = self.number
            self.due.add(voucher)

    def check(self, read: str, failing: set[str]) -> None:
        """Sync, and compare the table and what was read with what is to be."""
        for voucher in failing:
            self.world.api.fail(self.path(voucher), status=404)
        before, held = set(self.due), self.expected
        found = self.sync("sweep" if read == "sweep" else "heads", allow_empty=True)
        self.world.api.faults.clear()
        read_now = set(self.rows) if read == "sweep" else self.due & set(self.rows)
        assert set(self.asked) == read_now
        self.expected = {one: held[one] for one in self.rows if held.get(one)}
        for voucher in read_now - failing:
            self.expected[voucher] = self.codes(voucher)
        self.due = read_now & failing | (before & failing)
        self.fates[read] += 1
        self.fates["left out"] += len(self.rows) - len(read_now)
        assert self.listed() == {one: codes for one, codes in self.expected.items() if codes}
        if read == "sweep":
            for voucher in read_now - failing - before:
                missed = set(self.codes(voucher)) - set(held.get(voucher, ()))
                assert found[f"vouchers_codes of {voucher}"].missed_by_heads == len(missed)
                self.fates["missed"] += len(missed)

    def listed(self) -> dict[str, list[str]]:
        """The codes of each voucher in the table."""
        found: dict[str, list[str]] = {}
        with single_writer(self.file, silent):
            rows = self.world.query("SELECT voucher_id, id FROM events.vouchers_codes ORDER BY ALL")
        for row in rows:
            found.setdefault(row["voucher_id"], []).append(row["id"])
        return {voucher: sorted(codes) for voucher, codes in found.items()}

    @property
    def file(self) -> Path | None:
        """The file of the warehouse, if it is one."""
        is_server = isinstance(self.world, PostgresWorld)
        return None if is_server else self.world.folder / "warehouse.duckdb"


STEPS = ("issue", "end", "rename", "redeem", "redeem", "add", "add")


@HISTORIES
@pytest.mark.parametrize("kind", ["duckdb", "postgres"])
def test_codes_are_as_their_vouchers_told_last(
    kind: str, tmp_path: Path, record_property: Property
) -> None:
    fates = Counter[str]()
    for number in range(HISTORIES.size):
        seed = SEED * 1_000 + number
        folder = tmp_path / str(number)
        folder.mkdir()
        with either_warehouse(kind, folder) as world:
            world.api.page_size = 100
            lives = Lives(world)
            lives.begin(seed)
            try:
                for _ in range(SYNCS):
                    for step in lives.dice.choices(STEPS, k=lives.dice.randint(0, 5)):
                        lives.change(step)
                    names = sorted(lives.rows)
                    failing = {one for one in names if lives.dice.random() < 0.1}
                    lives.check(lives.dice.choice(["heads", "heads", "sweep"]), failing)
                lives.check("sweep", set())
            except AssertionError as error:
                raise AssertionError(f"seed {seed}: {error}") from error
            everything = {one: codes for one in lives.rows if (codes := lives.codes(one))}
            assert lives.listed() == everything
        fates += lives.fates
    record_property("figures", f"{kind}: {dict(fates)}")
    assert fates["left out"]


@KILLS
@pytest.mark.parametrize("kind", ["duckdb", "postgres"])
def test_codes_of_a_killed_head_are_read_by_the_next_one(
    kind: str, tmp_path: Path, record_property: Property
) -> None:
    with either_warehouse(kind, tmp_path) as world:
        world.api.page_size, world.api.patience = 100, 10**9
        world.monkeypatch.setenv("EXECUTION__COMMIT_EVERY", "1")
        lives = Lives(world)
        lives.begin(SEED)
        scratch = world.folder / "scratch"
        scratch.mkdir()
        task = Task("events", BOTH, read="heads", allow_empty=True)
        upcoming, fates = Worker(scratch), Counter[str]()
        for number in range(KILLS.size):
            victim, upcoming = upcoming, Worker(scratch)
            for _ in range(5):
                lives.change("issue")
                voucher = lives.dice.choice(sorted(lives.rows))
                lives.issue(voucher, *(f"k{number}-{n}" for n in range(lives.dice.randint(1, 3))))
                lives.rows[voucher]["name"] = f"killed {number}"
            for one in lives.rows:
                world.api.fail(lives.path(one), times=1, delay=lives.dice.choice([0, 0, 1.2]))
            victim.start(task)
            sight, longest = lives.dice.choice(MOMENTS)
            while victim.busy() and not any(scratch.glob(sight.replace("promotions", "events"))):
                time.sleep(0.001)
            time.sleep(lives.dice.uniform(0, longest))
            fates["over" if not victim.busy() else "killed"] += 1
            victim.kill()
            world.api.heal()
            done = upcoming.sync(task)
            assert done.green, done
            everything = {one: codes for one in lives.rows if (codes := lives.codes(one))}
            assert lives.listed() == everything, f"seed {SEED}, kill {number}"
        upcoming.kill()
    record_property("figures", f"{kind}: {dict(fates)}")
