"""Reads the queued runs, and caches each of them, because a queued run does not change."""

from __future__ import annotations

import dagster as dg

STATUSES = [dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.NOT_STARTED]
BATCH = 500  # run ids in one statement

_kept: dict[str, dg.DagsterRun] = {}


def waiting_runs(instance: dg.DagsterInstance) -> list[dg.DagsterRun]:
    """Return the queued runs, the newest first.

    A process that calls it every half minute reads all ids, but only the new runs in full.
    """
    global _kept
    ids = instance.get_run_ids(dg.RunsFilter(statuses=STATUSES))
    found = {run_id: run for run_id in ids if (run := _kept.get(run_id))}
    unknown = [run_id for run_id in ids if run_id not in found]
    for start in range(0, len(unknown), BATCH):
        some = dg.RunsFilter(run_ids=unknown[start : start + BATCH])
        found |= {run.run_id: run for run in instance.get_runs(some)}
    _kept = found
    return [found[run_id] for run_id in ids if run_id in found]
