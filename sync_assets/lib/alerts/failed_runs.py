"""The lists that failed runs did not materialize; after a crash, the assets.

A failure is read once and then kept as a mark: the id of the newest materialization before it. A
list counts as failed until it has a newer materialization, however many runs fail meanwhile.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any, NamedTuple

import dagster as dg

# Private to Dagster, which has no public name for it; read in 1.13.27.
from dagster._core.event_api import EventLogCursor

from sync_assets.lib.alerts.incidents import one_line, step_error, when
from sync_assets.lib.alerts.run_lists import List, not_loaded, planned_lists
from sync_assets.lib.materialized import newest, partitions_after

TYPE = dg.DagsterEventType
STORY = {TYPE.STEP_SUCCESS, TYPE.STEP_FAILURE, TYPE.RUN_FAILURE}
RUNS_PER_TICK = 20
#: How far the first tick looks back.
FIRST_TICK_SECONDS = 24 * 3600
CRASH_NOTICE_SECONDS = 300


@dataclass(frozen=True)
class FailedRuns:
    """What is known of failed runs.

    `cursor` is Dagster's, `waiting` are the ids of runs that Dagster may retry, and `marks` has
    for each failed list the storage id of its asset's newest materialization before the failure.
    """

    cursor: str | None = None
    waiting: Sequence[str] = ()
    marks: Mapping[List, int] = field(default_factory=dict)


class Read(NamedTuple):
    """What a tick read of failed runs.

    `reasons` are those of new failures, by list, or by run if it has no asset. The asset or
    partition of a list that is `gone` no longer exists, so nothing can materialize it.
    """

    runs: FailedRuns
    reasons: dict[List | str, str]
    gone: set[List]


def read_failed_runs(instance: dg.DagsterInstance, graph: Any, before: FailedRuns) -> Read:
    """Read the runs that failed since `before`, and which of all failed lists are still missing."""
    runs, cursor, waiting = _failed_since(instance, before)
    reasons: dict[List | str, str] = {}
    marks = dict(before.marks)
    mark = cache(partial(_newest, instance))
    for record in runs:
        for what, (why, at) in _undone(instance, graph, record).items():
            reasons[what] = why
            if not isinstance(what, str):
                marks[what] = max(mark(what[0], at), marks.get(what, 0))
    marks = _still(instance, marks)
    gone = _gone(instance, graph, marks)
    marks = {what: since for what, since in marks.items() if what not in gone}
    kept = {what: why for what, why in reasons.items() if isinstance(what, str) or what in marks}
    return Read(FailedRuns(cursor, waiting, marks), kept, gone)


def _failed_since(
    instance: dg.DagsterInstance, before: FailedRuns
) -> tuple[list[dg.RunRecord], str | None, list[str]]:
    """Return the runs that failed for good, the next cursor, and the runs that may be retried."""
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
            failed.append(record)
        elif fate == "waiting":
            waiting.append(run_id)
    return failed, found.cursor if found.records else before.cursor, waiting


def is_cursor(value: Any) -> bool:
    """Whether Dagster can continue from a cursor."""
    try:
        return isinstance(value, str) and bool(EventLogCursor.parse(value))
    except Exception:  # noqa: BLE001 - whatever is in it, it is none
        return False


def _fate(instance: dg.DagsterInstance, record: dg.RunRecord) -> str:
    """Tell whether a run failed for good; its failure is logged before its status and its retry."""
    run = record.dagster_run
    retry = run.tags.get("dagster/will_retry")
    if "dagster/auto_retry_run_id" in run.tags:
        return "retried"
    if record.end_time and time.time() - record.end_time > CRASH_NOTICE_SECONDS:
        return "failed" if run.status == dg.DagsterRunStatus.FAILURE else "passed over"
    settled = retry == "false" or (retry is None and not instance.run_retries_enabled)
    return "failed" if settled and run.status == dg.DagsterRunStatus.FAILURE else "waiting"


def _undone(
    instance: dg.DagsterInstance, graph: Any, record: dg.RunRecord
) -> dict[List | str, tuple[str, float]]:
    """Return what a failed run planned and did not materialize, with the reason and the time."""
    run = record.dagster_run
    planned = planned_lists(instance, graph, run)
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
        reason, named = end, []
        if step in failed:
            reason = (step_error(failed[step]), failed[step].timestamp)
            named = _failed_lists(failed[step], lists)
        undone.update(dict.fromkeys(named or not_loaded(instance, record, lists), reason))
    checks_broke = any(step in planned for step in failed)
    if not undone and not checks_broke:
        undone[f"run {run.run_id[:8]} of {run.job_name}"] = end
    return undone


def _failed_lists(entry: dg.EventLogEntry, lists: list[List]) -> list[List]:
    """Return those of the planned lists that a failure names."""
    data: Any = entry.get_dagster_event().step_failure_data
    metadata: Mapping[str, Any] = data.user_failure_data.metadata if data.user_failure_data else {}
    named = metadata["failed_lists"].value if "failed_lists" in metadata else []
    wanted = {asset for asset, _ in lists}
    return [(asset, key) for asset, key in named if asset in wanted]


def _newest(instance: dg.DagsterInstance, asset: str, before: float) -> int:
    return newest(instance, dg.AssetKey.from_user_string(asset), before)


def _still(instance: dg.DagsterInstance, marks: Mapping[List, int]) -> dict[List, int]:
    """Return the lists that have no materialization after their mark."""
    groups: dict[tuple[str, int], list[str | None]] = defaultdict(list)
    for (asset, key), mark in marks.items():
        groups[asset, mark].append(key)
    still: dict[List, int] = {}
    for (asset, mark), keys in groups.items():
        fresh = partitions_after(instance, dg.AssetKey.from_user_string(asset), mark)
        still.update({(asset, key): mark for key in keys if key not in fresh})
    return still


def _gone(instance: dg.DagsterInstance, graph: Any, lists: Collection[List]) -> set[List]:
    """Return the lists whose asset or partition no longer exists."""
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
