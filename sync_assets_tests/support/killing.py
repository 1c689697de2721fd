"""A story of two tables whose syncs are killed at any moment, and of somebody who reads meanwhile.

Each version of the data has a number, which every row bears: rows of two versions in one table,
too few or too many of them are seen at once.
"""

from __future__ import annotations

import random
import shutil
import stat
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sync_assets_tests.support.counts import SEED
from sync_assets_tests.support.leftovers import left_behind
from sync_assets_tests.support.processes import Done, Task, Worker
from sync_assets_tests.support.world import World

PARENTS = ["1", "2", "3"]
ROWS = 400
TABLES = ["organizing_brands", "stages"]
TASK = Task("promotions", TABLES, {"promotions": PARENTS})
#: Sights in the scratch folder, from late to early, and what the sync does once they are there.
PHASES = {
    "verify": "*/promotions/load/loaded/*",
    "load": "*/promotions/load/normalized/*",
    "normalize": "*/promotions/normalize/extracted/*",
    "extract": "*/promotions",
}
#: When to kill: so long at most after a sight.
MOMENTS = [
    ("*/promotions", 0.4),
    ("*/promotions/normalize/extracted/*", 0.1),
    ("*/promotions/load/normalized/*", 0.5),
    ("*/promotions/load/normalized/*/started_jobs/*", 0.1),
    ("*/promotions/load/normalized/*/started_jobs/*.sql", 0.05),
    ("*/promotions/load/normalized/*/started_jobs/*.sql", 0.01),
]

Query = Callable[[str], list[dict[str, Any]]]


@dataclass
class Story:
    """The account in versions, the warehouse that follows it, and the scratch of its syncs."""

    world: World
    query: Query
    scratch: Path
    seed: int = SEED
    version: int = 0
    deaths: Counter[str] = field(default_factory=Counter)
    readings: int = 0

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.scratch.mkdir(exist_ok=True)
        self.world.api.page_size = ROWS
        self.world.api.patience = 10**9

    def offer(self) -> None:
        """The account moves on to its next version."""
        self.version += 1
        lists = self.world.api.lists
        lists["/organizing_brands"] = records(self.version)
        lists.update({f"/stages/{parent}": records(self.version) for parent in PARENTS})

    def held(self) -> dict[str, int]:
        """The version of each table; an error where it is none."""
        brands = self.query("SELECT id, name FROM promotions.organizing_brands")
        stages = self.query("SELECT promotion_id, id, name FROM promotions.stages")
        return {
            "organizing_brands": version_of([(row["id"], row["name"]) for row in brands]),
            **{
                f"stages of {parent}": version_of(
                    [(r["id"], r["name"]) for r in stages if r["promotion_id"] == parent]
                )
                for parent in PARENTS
            },
        }

    def settle(self, worker: Worker) -> Done:
        """A sync that nobody disturbs: green, and exact."""
        self.offer()
        done = worker.sync(TASK)
        assert done.green, f"seed {self.seed}: {done}"
        assert set(self.held().values()) == {self.version}, f"seed {self.seed}: {self.held()}"
        assert left_behind(self.scratch.iterdir()) == [], "scratch is left behind"
        return done

    def disturb(self, worker: Worker, end: Callable[[], None]) -> None:
        """Begin a sync and end it at some moment: each table is as it was or as it should be."""
        before = self.held()
        self.offer()
        with self._reader(before) as violations:
            worker.start(TASK)
            self._wait(worker, *self.random.choice(MOMENTS))
            end()
        assert violations == [], f"seed {self.seed}, seen by the reader: {violations}"
        after = self.held()
        whole = all(after[name] in (old, self.version) for name, old in before.items())
        one = len({version for name, version in after.items() if "stages" in name}) == 1
        assert whole and one, f"seed {self.seed}: {before} became {after}"  # noqa: PT018

    def kill(self, worker: Worker) -> None:
        """Kill a sync at some moment."""
        self.disturb(worker, worker.kill)
        self.deaths[self._clean()] += 1

    def figures(self) -> str:
        """In which phases the syncs were, and how often somebody read meanwhile."""
        deaths = ", ".join(f"{n} in {phase}" for phase, n in sorted(self.deaths.items()))
        return f"{deaths}; {self.readings} readings"

    def _wait(self, worker: Worker, sight: str, longest: float) -> None:
        while worker.busy() and not any(self.scratch.glob(sight)):
            time.sleep(0.001)
        time.sleep(self.random.uniform(0, longest))

    def _clean(self) -> str:
        """The phase that a killed sync was in; nobody else may look at what it leaves behind."""
        left = list(self.scratch.iterdir())
        phase = next((name for name, sight in PHASES.items() if any(self.scratch.glob(sight))), "")
        for path in left:
            if path.suffix == ".sql":  # dlt passes statements, without data, through such a file
                path.unlink()
                continue
            assert path.name.startswith("sync_assets-"), path
            assert stat.S_IMODE(path.stat().st_mode) == 0o700, path
            shutil.rmtree(path)
        return phase if left else "outside"

    @contextmanager
    def _reader(self, before: dict[str, int]) -> Iterator[list[str]]:
        violations: list[str] = []
        ended = threading.Event()

        def read() -> None:
            while not ended.wait(self.random.uniform(0.01, 0.1)):
                try:
                    seen = self.held()
                    assert all(seen[n] in (old, self.version) for n, old in before.items()), seen
                except Exception as error:  # noqa: BLE001 - the test fails with it
                    violations.append(repr(error))
                self.readings += 1

        thread = threading.Thread(target=read)
        thread.start()
        try:
            yield violations
        finally:
            ended.set()
            thread.join()


def records(version: int) -> list[dict[str, Any]]:
    """The records of a version: each bears its number, and each version has its own ids."""
    size = ROWS - version % 7 * 20
    return [{"id": f"{n + version % 3}", "name": f"v{version}"} for n in range(size)]


def version_of(rows: list[tuple[str, str]]) -> int:
    """The version that rows are exactly; never a mixture, a part or a double of one."""
    names = {name for _, name in rows}
    assert len(names) == 1, f"{len(rows)} rows of the versions {names}"
    version = int(names.pop().removeprefix("v"))
    expected = sorted(record["id"] for record in records(version))
    found = sorted(identity for identity, _ in rows)
    assert found == expected, f"{len(found)} rows of {len(expected)} of version {version}"
    return version
