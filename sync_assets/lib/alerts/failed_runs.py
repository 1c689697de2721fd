"""What failed runs left undone: the lists, or after a crash the assets, not materialized since.

A failure is read once and then kept as a mark: the newest materialization before it. A list stays
failed until it has a newer one, however many runs fail meanwhile.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any, NamedTuple, TypeAlias

import dagster as dg

# Private to Dagster, which has no public name for it; read in 1.13.27.
from dagster._core.event_api import EventLogCursor

from sync_assets.lib.alerts.incidents import one_line, step_error, when
from sync_assets.lib.keys import keys_of

List: TypeAlias = "tuple[str, str | None]"  # an asset, and a partition of it
TYPE = dg.DagsterEventType
STORY = {TYPE.STEP_SUCCESS, TYPE.STEP_FAILURE, TYPE.RUN_FAILURE}
RUNS_PER_TICK = 20
#: How far the first tick looks back.
FIRST_TICK_SECONDS = 24 * 3600
CRASH_NOTICE_SECONDS = 300


@dataclass(frozen=True)
class FailedRuns:
    """What is known of failed runs: how far they are read, who may be retried, what is undone.

    `cursor` is Dagster's, `waiting` are ids of runs, `marks` gives for each list that failed the
    storage id of its asset's newest materialization before that.
    """

    cursor: str | None = None
    waiting: Sequence[str] = ()
    marks: Mapping[List, int] = field(default_factory=dict)


class Read(NamedTuple):
    """What a tick read of failed runs: what is known now, why what is new failed, what is gone.

    `reasons` are by list, or by run where it is of no asset. Of lists that are `gone` the asset or
    partition is no more: nothing can materialize them.
    """

    runs: FailedRuns
    reasons: dict[List | str, str]
    gone: set[List]


def read_failed_runs(instance: dg.DagsterInstance, graph: Any, before: FailedRuns) -> Read:
    """What failed since `before`, and what of all that failed is still undone."""
    runs, cursor, waiting = _failed_since(instance, before)
    reasons: dict[List | str, str] = {}
    marks = dict(before.marks)
    newest = cache(partial(_newest, instance))
    for run in runs:
        for what, (why, at) in _undone(instance, graph, run).items():
            reasons[what] = why
            if not isinstance(what, str):
                marks[what] = max(newest(what[0], at), marks.get(what, 0))
    marks = _still(instance, marks)
    gone = _gone(instance, graph, marks)
    marks = {what: mark for what, mark in marks.items() if what not in gone}
    told = {what: why for what, why in reasons.items() if isinstance(what, str) or what in marks}
    return Read(FailedRuns(cursor, waiting, marks), told, gone)


def _failed_since(
    instance: dg.DagsterInstance, before: FailedRuns
) -> tuple[list[dg.DagsterRun], str | None, list[str]]:
    """The runs that failed for good, the cursor after them, and those that may be retried."""
    since = None if before.cursor else time.time() - FIRST_TICK_SECONDS
    found = instance.fetch_run_status_changes(
        dg.RunStatusChangeRecordsFilter(TYPE.RUN_FAILURE, after_timestamp=since),
        limit=RUNS_PER_TICK,
        cursor=before.cursor,
        ascending=True,
    )
    failed, waiting = [], []
    for run_id in dict.fromkeys([*before.waiting, *(record.run_id for record in found.records)]):
        record = instance.get_run_record_by_id(run_id)
        fate = _fate(instance, record) if record else "passed over"
        if fate == "failed" and record:
            failed.append(record.dagster_run)
        elif fate == "waiting":
            waiting.append(run_id)
    return failed, found.cursor if found.records else before.cursor, waiting


def is_cursor(value: Any) -> bool:
    """Whether Dagster can go on from a cursor."""
    try:
        return isinstance(value, str) and bool(EventLogCursor.parse(value))
    except Exception:  # noqa: BLE001 - whatever is in it, it is none
        return False


def _fate(instance: dg.DagsterInstance, record: dg.RunRecord) -> str:
    """A run's failure is logged before its status and the word on retries are."""
    run = record.dagster_run
    retry = run.tags.get("dagster/will_retry")
    if "dagster/auto_retry_run_id" in run.tags:
        return "retried"
    if record.end_time and time.time() - record.end_time > CRASH_NOTICE_SECONDS:
        return "failed" if run.status == dg.DagsterRunStatus.FAILURE else "passed over"
    settled = retry == "false" or (retry is None and not instance.run_retries_enabled)
    return "failed" if settled and run.status == dg.DagsterRunStatus.FAILURE else "waiting"


def _undone(
    instance: dg.DagsterInstance, graph: Any, run: dg.DagsterRun
) -> dict[List | str, tuple[str, float]]:
    """What a failed run was to materialize and did not: why, and when that was known."""
    planned = _planned(instance, graph, run)
    failed: dict[str | None, dg.EventLogEntry] = {}
    end = ("the run failed", time.time())
    for entry in instance.all_logs(run.run_id, of_type=STORY):
        event = entry.get_dagster_event()
        if event.event_type == TYPE.STEP_FAILURE:
            failed[event.step_key] = entry
        elif event.event_type == TYPE.STEP_SUCCESS:
            planned.pop(event.step_key, None)
        else:
            why = f"{one_line(event.message or '')} ({when(entry.timestamp, run.run_id)})"
            end = (why, entry.timestamp)
    for entry in list(failed.values())[:1]:
        end = (step_error(entry), entry.timestamp)
    undone: dict[List | str, tuple[str, float]] = {}
    for step, lists in planned.items():
        told, named = end, []
        if step in failed:
            told = (step_error(failed[step]), failed[step].timestamp)
            named = _failed_lists(failed[step], lists)
        undone.update(dict.fromkeys(named or lists, told))
    checks_broke = any(step in planned for step in failed)
    if not undone and not checks_broke:
        undone[f"run {run.run_id[:8]} of {run.job_name}"] = end
    return undone


def _planned(
    instance: dg.DagsterInstance, graph: Any, run: dg.DagsterRun
) -> dict[str | None, list[List]]:
    """What each step of a run was to materialize: nothing, where it is one of checks."""
    snapshot = run.execution_plan_snapshot_id
    plan = instance.get_execution_plan_snapshot(snapshot) if snapshot else None
    planned: dict[str | None, list[List]] = {}
    for step in plan.steps if plan else ():
        if plan and step.key in plan.step_keys_to_execute:
            made = {output.properties and output.properties.asset_key for output in step.outputs}
            planned[step.key] = [
                (key.to_user_string(), partition)
                for key in sorted(key for key in made if key)
                for partition in _partitions(instance, graph, run, key)
            ]
    return planned


def _partitions(
    instance: dg.DagsterInstance, graph: Any, run: dg.DagsterRun, key: dg.AssetKey
) -> list[Any]:
    """The partitions of an asset that a run was for; None stands for the asset as a whole."""
    definition = graph.get(key).partitions_def if key in graph.get_all_asset_keys() else None
    if definition is None:
        return [None]
    order = partial(definition.get_partition_keys, dynamic_partitions_store=instance)
    return list(keys_of(run.tags, order))


def _failed_lists(entry: dg.EventLogEntry, lists: list[List]) -> list[List]:
    """The lists that a failure names, of those that were to be materialized."""
    data: Any = entry.get_dagster_event().step_failure_data
    metadata: Mapping[str, Any] = data.user_failure_data.metadata if data.user_failure_data else {}
    named = metadata["failed_lists"].value if "failed_lists" in metadata else []
    wanted = {asset for asset, _ in lists}
    return [(asset, key) for asset, key in named if asset in wanted]


def _newest(instance: dg.DagsterInstance, asset: str, before: float | None = None) -> int:
    key = dg.AssetKey.from_user_string(asset)
    wanted = dg.AssetRecordsFilter(key, before_timestamp=before)
    records = instance.fetch_materializations(wanted, limit=1).records
    return records[0].storage_id if records else 0


def _still(instance: dg.DagsterInstance, marks: Mapping[List, int]) -> dict[List, int]:
    """The lists that have no materialization after their mark."""
    groups: dict[tuple[str, int], list[str | None]] = defaultdict(list)
    for (asset, key), mark in marks.items():
        groups[asset, mark].append(key)
    newest = {asset: _newest(instance, asset) for asset, _ in groups}
    still: dict[List, int] = {}
    for (asset, mark), keys in groups.items():
        if newest[asset] > mark:
            asset_key = dg.AssetKey.from_user_string(asset)
            found = instance.get_materialized_partitions(asset_key, after_cursor=mark)
            fresh: set[str | None] = {None, *found}
            keys = [partition for partition in keys if partition not in fresh]
        still.update({(asset, partition): mark for partition in keys})
    return still


def _gone(instance: dg.DagsterInstance, graph: Any, lists: Collection[List]) -> set[List]:
    """The lists whose asset or partition is no more."""
    kept: dict[str, set[str | None]] = {}
    for asset in {asset for asset, _ in lists}:
        key = dg.AssetKey.from_user_string(asset)
        if key in graph.get_all_asset_keys():
            partitions = graph.get(key).partitions_def
            keys = (
                partitions.get_partition_keys(dynamic_partitions_store=instance)
                if partitions
                else ()
            )
            kept[asset] = {None, *keys}
    return {(asset, key) for asset, key in lists if key not in kept.get(asset, ())}
