"""From when on a run that is executed again needs nothing that an earlier attempt has loaded."""

from __future__ import annotations

from datetime import datetime, timezone

import dagster as dg

PARENT = "dagster/parent_run_id"
UNDONE = {dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED}


def first_attempt(
    instance: dg.DagsterInstance, run: dg.DagsterRun, attempt: int
) -> datetime | None:
    """When the first of the attempts began that this one follows; None for a first attempt.

    `attempt` is the number of the step's retry. A run that is executed again after a success reads
    everything anew, and so does one whose first attempt nobody remembers.
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
