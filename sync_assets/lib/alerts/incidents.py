"""Checks, sensors and schedules that fail now, by their newest records in Dagster."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timezone
from typing import Any

import dagster as dg

# Private to Dagster, which has no public name for it; read in 1.13.27.
from dagster._core.storage.asset_check_execution_record import (
    AssetCheckExecutionRecordStatus as Status,
)

FIGURES = 6
LONGEST = 600
LONG = 150


def failed_checks(instance: dg.DagsterInstance, keys: Iterable[dg.AssetCheckKey]) -> dict[str, str]:
    """Return the checks whose newest evaluation failed or could not be made, with the reason."""
    errors: dict[str, dict[str | None, str]] = {}
    found = {}
    storage = instance.event_log_storage
    for key, newest in storage.get_latest_asset_check_execution_by_key(sorted(keys)).items():
        record: Any = newest
        if record.status == Status.PLANNED:
            if record.run_id not in errors:
                errors[record.run_id] = _errors(instance, record.run_id)
            step = record.event.dagster_event.step_key if record.event else None
            if step in errors[record.run_id]:
                found[check_name(key)] = errors[record.run_id][step]
                continue
            # under way, or left out by a run that failed before: what was known stays true
            finished = {Status.SUCCEEDED, Status.FAILED}
            record = next(
                iter(storage.get_asset_check_execution_history(key, limit=1, status=finished)), None
            )
        if record is not None and record.status == Status.FAILED:
            found[check_name(key)] = _evaluated(record)
    return found


def briefly_failed(
    instance: dg.DagsterInstance, keys: Iterable[dg.AssetCheckKey], since: int
) -> tuple[dict[str, str], int]:
    """Return the checks that failed after an evaluation but pass again, with the reason.

    `since` is the id of an evaluation, 0 for none. Also returns the id of the newest one.
    """
    found, newest = {}, since
    storage = instance.event_log_storage
    for key, latest in storage.get_latest_asset_check_execution_by_key(sorted(keys)).items():
        newest = max(newest, latest.id)
        if since and latest.id > since and latest.status == Status.SUCCEEDED:
            failed = {Status.FAILED}
            for record in storage.get_asset_check_execution_history(key, limit=1, status=failed):
                if record.id > since:
                    found[check_name(key)] = _evaluated(record)
    return found, newest


def failed_ticks(
    instance: dg.DagsterInstance, names: dict[str, str], location: str | None = None
) -> dict[str, str]:
    """Return the sensors and schedules whose newest finished tick failed, with the reason.

    `names` gives the name of each in messages. Dagster also keeps the state of sensors that no
    longer exist and of other code locations; these are left out.
    """
    found = {}
    for state in instance.all_instigator_state():
        if location not in (None, state.repository_selector.location_name):
            continue
        if state.name not in names:
            continue
        ticks = instance.get_ticks(state.instigator_origin_id, state.selector_id, limit=2)
        newest = next((tick for tick in ticks if tick.status.value != "STARTED"), None)
        if newest is not None and newest.status.value == "FAILURE":
            found[names[state.name]] = f"{cause(newest.error)} ({when(newest.timestamp)})"
    return found


def check_name(key: dg.AssetCheckKey) -> str:
    """Return the name of a check in messages."""
    return f"check {key.name} of {key.asset_key.to_user_string()}"


def cause(error: Any) -> str:
    """Return the innermost cause of an error that Dagster recorded, in one line."""
    while error is not None and error.cause is not None:
        error = error.cause
    return one_line(error.message if error is not None else "no reason is recorded")


def one_line(text: str) -> str:
    """Return the first line of a text, shortened."""
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return line if len(line) <= LONGEST else f"{line[:LONGEST]}..."


def when(timestamp: float, run_id: str | None = None) -> str:
    """Return a time and the run that it belongs to, as text."""
    moment = datetime.fromtimestamp(timestamp, timezone.utc)
    return f"{moment:%Y-%m-%d %H:%M} UTC" + (f", run {run_id[:8]}" if run_id else "")


def step_error(entry: dg.EventLogEntry) -> str:
    """Return why, where and when a step failed, in one line."""
    data: Any = entry.get_dagster_event().step_failure_data
    description = data.user_failure_data.description if data.user_failure_data else None
    why = one_line(description) if description else cause(data.error)
    return f"{why} ({when(entry.timestamp, entry.run_id)})"


def _errors(instance: dg.DagsterInstance, run_id: str) -> dict[str | None, str]:
    entries = instance.all_logs(run_id, of_type=dg.DagsterEventType.STEP_FAILURE)
    return {
        entry.get_dagster_event().step_key: f"could not be evaluated: {step_error(entry)}"
        for entry in entries
    }


def _evaluated(record: Any) -> str:
    text = record.evaluation.description
    if not text:
        values = {name: item.value for name, item in record.evaluation.metadata.items()}
        figures = [f"{name} {_short(value)}" for name, value in values.items() if value]
        text = ", ".join(figures[:FIGURES])
    at = when(record.event.timestamp, record.run_id)
    return f"did not pass: {one_line(text)} ({at})" if text else f"did not pass ({at})"


def _short(value: Any) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= LONG else f"{text[:LONG]}..."
