"""Finds when the first attempt of a retried run began: what was loaded since is left out."""

from __future__ import annotations

from datetime import datetime, timezone

import dagster as dg

PARENT = "dagster/parent_run_id"
UNDONE = {dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED}


def first_attempt(
    instance: dg.DagsterInstance, run: dg.DagsterRun, attempt: int
) -> datetime | None:
    """Return when the first attempt began of which this run is a retry; None if it is not one.

    `attempt` is the number of the step's retry. If the earlier run succeeded or is no longer
    recorded, everything is read again.
    """
    began = _start(instance, run.run_id) if attempt else None
    parent = run.tags.get(PARENT)
    while parent and (record := instance.get_run_record_by_id(parent)):
        if record.dagster_run.status not in UNDONE:
            break
        began = _start(instance, parent) or began
        parent = record.dagster_run.tags.get(PARENT)
    return began


def _start(instance: dg.DagsterInstance, run_id: str) -> datetime | None:
    record = instance.get_run_record_by_id(run_id)
    if record is None or record.start_time is None:
        return None
    return datetime.fromtimestamp(record.start_time, timezone.utc)
