"""One run of a named job for any set of partitions, each of which is marked by itself."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import dagster as dg
import pytest
from dagster._core.events import DagsterEvent, DagsterEventType

from sync_assets.base import times
from sync_assets.lib.alerts.failed_runs import FailedRuns, read_failed_runs
from sync_assets.lib.assets.sync_config import run_config
from sync_assets.lib.automation.in_progress import in_progress
from sync_assets.sources.promotions import API
from sync_assets_tests.support.dagster_world import LOADED, DagsterRuns
from sync_assets_tests.support.world import World

pytestmark = pytest.mark.long

FAULTS = {
    "a promotion that fails below keys that do not adjoin": "fails alone, in one run",
    "a key that retires while its run is queued": "costs itself only",
    "a run of any keys that is executed again": "reads only the lists that it lacked",
    "a run that is killed half-way": "only what it did not load is told as failed",
    "a resource in the config of a run that is none": "refused by name",
}
(PROMOTIONS,) = API.parents
JOB = "promotions_promotions_sync"
CHILDREN = tuple(sorted(API.children("promotions")))
SPARSE = {"1": CHILDREN, "3": ("users",)}
PLANNED = {*(("1", name) for name in CHILDREN), ("3", "users")}


def sync(
    runs: DagsterRuns, below: Mapping[str, tuple[str, ...]], **tags: str
) -> dg.ExecuteInProcessResult:
    """A run of the job over some resources below keys."""
    return LOADED.resolve_job_def(JOB).execute_in_process(
        instance=runs.instance,
        run_config=run_config(API, PROMOTIONS, below),
        tags={f"dagster/{name}": value for name, value in tags.items()},
        raise_on_error=False,
    )


def marked(runs: DagsterRuns, run: str, kind: DagsterEventType) -> set[tuple[str, str]]:
    """The partition and the resource of each event of a kind in a run."""
    events = [e.get_dagster_event() for e in runs.instance.all_logs(run, of_type=kind)]
    return {(str(e.partition), str(e.asset_key and e.asset_key.path[-1])) for e in events}


def planned(runs: DagsterRuns, run: str) -> set[tuple[str, str]]:
    return marked(runs, run, DagsterEventType.ASSET_MATERIALIZATION_PLANNED)


def loaded(runs: DagsterRuns, run: str) -> set[tuple[str, str]]:
    return marked(runs, run, DagsterEventType.ASSET_MATERIALIZATION)


def failed_partitions(runs: DagsterRuns) -> set[str]:
    """The partitions of users that Dagster shows as failed."""
    log = runs.instance.event_log_storage
    users = dg.AssetKey(["promotions", "users"])
    return {
        *log.get_latest_asset_partition_materialization_attempts_without_materializations(users)
    }


def test_a_bad_key_fails_alone_and_what_is_not_asked_for_is_not_marked(
    synced: DagsterRuns, world: World
) -> None:
    world.api.fail("/users/3", status=500)
    world.api.lists["/users/1"].append({"id": "new"})
    run = sync(synced, SPARSE)
    assert not run.success
    assert "Materialize these partitions again: 3" in synced.failure(run)
    assert planned(synced, run.run_id) == PLANNED
    assert loaded(synced, run.run_id) == PLANNED - {("3", "users")}
    assert failed_partitions(synced) == {"3"}
    assert world.api.asked("/users/2") == []
    assert [row["promotion_id"] for row in world.rows("promotions.users")].count("1") == 3
    assert not synced.check("promotions/users", "fresh").passed
    assert synced.check("promotions/stages", "fresh").passed

    world.api.heal()
    world.api.seen.clear()
    again = sync(synced, SPARSE, parent_run_id=run.run_id, root_run_id=run.run_id)
    assert again.success
    assert {request.path for request in world.api.seen} == {"/users/3"}
    assert planned(synced, again.run_id) == loaded(synced, again.run_id) == {("3", "users")}
    assert failed_partitions(synced) == set()


def test_a_key_that_retires_in_the_queue_costs_itself_only(synced: DagsterRuns) -> None:
    synced.instance.delete_dynamic_partition("promotions", "1")
    run = sync(synced, SPARSE)
    assert run.success
    assert planned(synced, run.run_id) == loaded(synced, run.run_id) == {("3", "users")}
    logs = synced.instance.all_logs(run.run_id)
    assert any("no longer partitions of promotions: 1" in entry.user_message for entry in logs)
    assert sync(synced, {"1": CHILDREN}).success


def test_a_resource_that_is_none_is_refused_by_name(synced: DagsterRuns, world: World) -> None:
    world.api.seen.clear()
    message = synced.failure(sync(synced, {"1": ("users", "useres")}))
    assert "no resources below promotions: useres; those are stages" in message
    assert world.api.seen == []


def begin(
    runs: DagsterRuns, below: Mapping[str, tuple[str, ...]], *, started: bool = True
) -> dg.DagsterRun:
    """A run of the job elsewhere: queued, or executing since now."""
    run = runs.instance.create_run_for_job(
        LOADED.resolve_job_def(JOB), run_config=run_config(API, PROMOTIONS, below)
    )
    if started:
        start = DagsterEvent(DagsterEventType.RUN_START.value, JOB)
        runs.instance.report_dagster_event(start, run.run_id)
    return run


def under_way(runs: DagsterRuns) -> set[tuple[str | None, str]]:
    return {(key, resource) for resource, key in in_progress(API, runs.instance).lists}


def test_what_a_run_has_loaded_is_not_under_way_any_more(synced: DagsterRuns) -> None:
    begin(synced, {"2": ("users",)}, started=False)
    assert under_way(synced) == {("2", "users")}
    begin(synced, SPARSE)
    assert under_way(synced) == PLANNED | {("2", "users")}
    assert synced.run("promotions/users", partition="1").success
    assert under_way(synced) == PLANNED - {("1", "users")} | {("2", "users")}
    told = in_progress(API, synced.instance).told()
    assert ". 1 runs execute, 1 wait, the first since 20" in told


def test_a_table_that_a_run_has_loaded_may_be_asked_for_again(
    synced: DagsterRuns, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = LOADED.resolve_job_def("promotions_tables_sync")
    run = synced.instance.create_run_for_job(tables)
    synced.instance.report_dagster_event(
        DagsterEvent(DagsterEventType.RUN_START.value, tables.name), run.run_id
    )
    assert under_way(synced) == {(None, "promotions"), (None, "organizing_brands")}
    assert synced.run("promotions/promotions").success
    assert under_way(synced) == {(None, "organizing_brands")}
    later = times.now() + timedelta(minutes=31)
    monkeypatch.setattr(times, "now", lambda: later)
    (hourly,) = synced.schedule("promotions_hourly")
    assert hourly.asset_selection == [dg.AssetKey(["promotions", "promotions"])]


def test_a_killed_run_is_told_by_what_it_did_not_load(synced: DagsterRuns) -> None:
    run = begin(synced, SPARSE)
    assert synced.run("promotions/users", partition="1").success
    synced.instance.report_run_failed(run, "the machine went down")
    graph = LOADED.resolve_asset_graph()
    failures = read_failed_runs(synced.instance, graph, FailedRuns()).reasons
    lists = {(one[1], one[0].removeprefix("promotions/")) for one in failures}
    assert lists == PLANNED - {("1", "users")}
    assert "the machine went down" in failures["promotions/users", "3"]


def test_every_run_is_of_a_named_job_whose_tags_tell_its_source(
    synced: DagsterRuns, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = times.now().replace(year=times.now().year + 1)
    monkeypatch.setattr(times, "now", lambda: later)
    fresh: Any = synced.tick("promotions_freshness")
    requests = [
        *fresh.run_requests,
        *synced.schedule("promotions_hourly"),
        *synced.schedule("promotions_promotions_hourly"),
    ]
    assert {r.job_name for r in requests} == {"promotions_tables_sync", JOB}
    assert LOADED.resolve_job_def(JOB).tags["sync_assets/partitions_of"] == "promotions"
    tables = LOADED.resolve_job_def("promotions_tables_sync")
    assert (tables.tags["sync_assets/source"], tables.tags["dagster/priority"]) == (
        "promotions",
        "1",
    )
    checks = tables.asset_layer.asset_graph.asset_check_keys
    assert {key.asset_key.path[-1] for key in checks} == {"promotions", "organizing_brands"}
