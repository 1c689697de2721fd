"""The runs that wait for their turn: what was read of one once is kept, as it changes no more."""

from __future__ import annotations

import dagster as dg

STATUSES = [dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.NOT_STARTED]
BATCH = 500  # run ids in one statement

_kept: dict[str, dg.DagsterRun] = {}


def waiting_runs(instance: dg.DagsterInstance) -> list[dg.DagsterRun]:
    """The runs that are queued, the newest first.

    A process that looks every half a minute reads the ids of all, and the rest of the new ones.
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
