"""The prune job: a dry run tells, a real one removes, and only rows of vanished parents."""

from __future__ import annotations

import dagster as dg
import pytest

from sync_assets_tests.conftest import World
from sync_assets_tests.dagster_world import LOADED, DagsterRuns

CHILDREN = ("stages", "users", "participations", "prizes", "rankings")


def prune(runs: DagsterRuns, *, dry_run: bool | None) -> tuple[dg.ExecuteInProcessResult, str]:
    """Run the job; its result and what it said."""
    config = {} if dry_run is None else {"config": {"dry_run": dry_run}}
    run = LOADED.resolve_job_def("promotions_prune").execute_in_process(
        run_config={"ops": {"promotions_remove_orphans": config}},
        instance=runs.instance,
        raise_on_error=False,
    )
    logs = runs.instance.all_logs(run.run_id)
    return run, "\n".join(record.user_message for record in logs)


def parents(world: World, table: str) -> set[str]:
    rows = world.query(f"SELECT DISTINCT promotion_id FROM promotions.{table}")  # noqa: S608
    return {row["promotion_id"] for row in rows}


@pytest.fixture
def vanished(synced: DagsterRuns, world: World) -> DagsterRuns:
    """The first promotion is not listed any more."""
    del world.api.lists["/promotions"][0]
    assert synced.run("promotions/promotions").success
    return synced


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
    run, said = prune(vanished, dry_run=False)
    assert run.success
    assert "10 rows of vanished parents removed" in said
    assert all(parents(world, table) == {"2", "3"} for table in CHILDREN)
    known = world.query("SELECT DISTINCT parent FROM promotions._syncs WHERE parent IS NOT NULL")
    assert {row["parent"] for row in known} == {"2", "3"}
    assert "0 rows of vanished parents found" in prune(vanished, dry_run=False)[1]


@pytest.mark.long
def test_an_empty_table_of_parents_removes_nothing(vanished: DagsterRuns, world: World) -> None:
    world.query("DELETE FROM promotions.promotions")
    run, _ = prune(vanished, dry_run=False)
    assert not run.success
    assert "Sync promotions first" in vanished.failure(run)
    assert parents(world, "users") == {"1", "2", "3"}
