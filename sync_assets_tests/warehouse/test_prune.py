"""The prune job: a dry run tells, a real one removes, and only rows of vanished parents."""

from __future__ import annotations

import re

import dagster as dg
import pytest

from sync_assets_tests.support.dagster_world import LOADED, PARTITION_SENSOR, DagsterRuns
from sync_assets_tests.support.world import World

FAULTS = {
    "the real run without a dry run, with dry_run: false alone": "nothing is removed",
    "the word of a dry run that found something else": "nothing is removed",
    "a parent that only the newest sync misses": "its rows stay, and the run tells why",
}
CHILDREN = ("stages", "users", "participations", "prizes", "rankings")


def prune(
    runs: DagsterRuns, *, dry_run: bool | None, confirm: str = ""
) -> tuple[dg.ExecuteInProcessResult, str]:
    """Run the job; its result and what it said."""
    config = {} if dry_run is None else {"config": {"dry_run": dry_run, "confirm": confirm}}
    run = LOADED.resolve_job_def("promotions_prune").execute_in_process(
        run_config={"ops": {"promotions_remove_orphans": config}},
        instance=runs.instance,
        raise_on_error=False,
    )
    logs = runs.instance.all_logs(run.run_id)
    return run, "\n".join(record.user_message for record in logs)


def word(said: str) -> str:
    """The word that a dry run ended with."""
    return str(re.findall(r"confirm: (\S+)", said)[-1])


def parents(world: World, table: str) -> set[str]:
    rows = world.query(f"SELECT DISTINCT promotion_id FROM promotions.{table}")  # noqa: S608
    return {row["promotion_id"] for row in rows}


@pytest.fixture
def vanished(synced: DagsterRuns, world: World) -> DagsterRuns:
    """The first promotion is not listed any more, and its partition is retired."""
    del world.api.lists["/promotions"][0]
    miss(synced, miss(synced))
    assert synced.instance.get_dynamic_partitions("promotions") == ["2", "3"]
    return synced


def miss(runs: DagsterRuns, cursor: str | None = None) -> str | None:
    """Sync the promotions, and let the sensor follow."""
    assert runs.run("promotions/promotions").success
    result = runs.tick(PARTITION_SENSOR, cursor)
    assert isinstance(result, dg.SensorResult)
    return result.cursor


@pytest.mark.long
def test_without_a_word_it_is_a_dry_run(vanished: DagsterRuns, world: World) -> None:
    run, said = prune(vanished, dry_run=None)
    assert run.success
    assert "users: 2 rows of 1 would be removed; run again with dry_run: false" in said
    assert "10 rows of vanished parents would be removed" in said
    assert parents(world, "users") == {"1", "2", "3"}


def test_rows_of_vanished_parents_are_removed_and_no_others(
    vanished: DagsterRuns, world: World
) -> None:
    confirm = word(prune(vanished, dry_run=True)[1])
    run, said = prune(vanished, dry_run=False, confirm=confirm)
    assert run.success
    assert "10 rows of vanished parents removed" in said
    assert all(parents(world, table) == {"2", "3"} for table in CHILDREN)
    known = world.query("SELECT DISTINCT parent FROM promotions._syncs WHERE parent IS NOT NULL")
    assert {row["parent"] for row in known} == {"2", "3"}
    assert "0 rows of vanished parents found" in prune(vanished, dry_run=False)[1]


@pytest.mark.long
def test_only_what_a_dry_run_named_is_removed(vanished: DagsterRuns, world: World) -> None:
    confirm = word(prune(vanished, dry_run=True)[1])
    world.query("DELETE FROM promotions.promotions WHERE id = '2'")
    vanished.instance.delete_dynamic_partition("promotions", "2")
    for wrong in ("", confirm, "remove-0"):
        run, _ = prune(vanished, dry_run=False, confirm=wrong)
        assert not run.success
        assert "Nothing was removed" in vanished.failure(run)
        assert parents(world, "users") == {"1", "2", "3"}
    confirm = word(prune(vanished, dry_run=True)[1])
    assert prune(vanished, dry_run=False, confirm=confirm)[0].success
    assert parents(world, "users") == {"3"}


def test_rows_of_a_parent_that_one_sync_misses_stay(synced: DagsterRuns, world: World) -> None:
    del world.api.lists["/promotions"][1:]
    miss(synced)
    for dry_run in (True, False):
        run, said = prune(synced, dry_run=dry_run)
        assert run.success
        assert "users: rows of 2, 3 stay. They are missing from the newest list" in said
        assert "0 rows of vanished parents found" in said
    assert parents(world, "users") == {"1", "2", "3"}


@pytest.mark.long
def test_an_empty_table_of_parents_removes_nothing(vanished: DagsterRuns, world: World) -> None:
    for key in ("2", "3"):
        vanished.instance.delete_dynamic_partition("promotions", key)
    world.query("DELETE FROM promotions.promotions")
    run, _ = prune(vanished, dry_run=False)
    assert not run.success
    assert "Sync promotions first" in vanished.failure(run)
    assert parents(world, "users") == {"1", "2", "3"}
