"""The sensor `alerts`, which reports each incident once, and once more when it is over.

Its cursor holds what was reported. If a tick reaches no channel, it fails and leaves the cursor,
so that the next tick tries again. What a single channel did not accept is kept for it.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

from sync_assets.lib.alerts.channels import VARIABLE, channels
from sync_assets.lib.alerts.delivery import DeliveryError as DeliveryError
from sync_assets.lib.alerts.delivery import Undelivered, deliver
from sync_assets.lib.alerts.failed_runs import FailedRuns, is_cursor, read_failed_runs
from sync_assets.lib.alerts.incidents import briefly_failed, check_name, failed_checks, failed_ticks
from sync_assets.lib.alerts.messages import Incident, Situation, diff
from sync_assets.lib.checks.catalog import REPORTED_ONCE
from sync_assets.lib.cursors import mapping, stored, texts, whole

NAME = "alerts"
INTERVAL_SECONDS = 30


@dataclass(frozen=True)
class AlertState:
    """What the cursor holds: failed lists, other open incidents, and what was not delivered.

    `undelivered` is by the position of the channel. `checked` is the id of the newest evaluation
    of a check that was read.
    """

    failures: FailedRuns = field(default_factory=FailedRuns)
    open: set[str] = field(default_factory=set)
    undelivered: dict[int, Undelivered] = field(default_factory=dict)
    checked: int = 0

    @property
    def incidents(self) -> set[Incident]:
        """Everything that was wrong."""
        return {*self.failures.marks, *self.open}

    @classmethod
    def load(cls, cursor: str | None) -> AlertState:
        """Read a cursor; parts that cannot be read start empty."""
        data = stored(cursor)
        marks = {
            (asset, key): int(mark)
            for asset, by_mark in mapping(data.get("failed")).items()
            for mark, keys in mapping(by_mark).items()
            for key in (keys if mark.isdecimal() and isinstance(keys, list) else ())
            if key is None or isinstance(key, str)
        }
        undelivered = {
            int(position): Undelivered.read(value)
            for position, value in mapping(data.get("owed")).items()
            if position.isdecimal()
        }
        runs = data.get("runs") if is_cursor(data.get("runs")) else None
        failures = FailedRuns(runs, texts(data.get("waiting")), marks)
        return cls(failures, set(texts(data.get("open"))), undelivered, whole(data.get("checked")))

    def dump(self) -> str:
        """Write the cursor; a failed partition takes only a few bytes."""
        failed: dict[str, dict[int, list[str | None]]] = defaultdict(lambda: defaultdict(list))
        for (asset, key), mark in self.failures.marks.items():
            failed[asset][mark].append(key)
        return json.dumps(
            {
                "runs": self.failures.cursor,
                "waiting": list(self.failures.waiting),
                "failed": failed,
                "open": sorted(self.open),
                "checked": self.checked,
                "owed": {position: rest.write() for position, rest in self.undelivered.items()},
            }
        )


def build_alert_sensor() -> dg.SensorDefinition:
    """Build the sensor that reports failed runs, checks, sensors and schedules."""

    @dg.sensor(
        name=NAME,
        minimum_interval_seconds=INTERVAL_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Reports to {VARIABLE} what failed, once, and when it recovered.",
    )
    def alerts(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        configured = channels()
        if not configured:
            return dg.SkipReason(f"{VARIABLE} is not set: no alerts are sent")
        before = AlertState.load(context.cursor)
        now, failures, checked = _situation(context, before)
        changes = diff(before.incidents, now)
        undelivered, troubles = deliver(configured, before.undelivered, changes)
        others = {what for what in now.open if isinstance(what, str)}
        state = AlertState(failures, others, undelivered, checked)
        said = f"{len(state.incidents)} incidents are open, {len(changes)} changes were reported"
        return dg.SensorResult(skip_reason="; ".join([said, *troubles]), cursor=state.dump())

    return alerts


def _situation(
    context: dg.SensorEvaluationContext, before: AlertState
) -> tuple[Situation, FailedRuns, int]:
    """Return what is wrong, what is known of failed runs, and the id of the newest evaluation."""
    instance, repository = context.instance, _repository(context)
    graph = repository.asset_graph
    checks = graph.asset_check_keys
    names = {sensor.name: f"sensor {sensor.name}" for sensor in repository.sensor_defs}
    names |= {schedule.name: f"schedule {schedule.name}" for schedule in repository.schedule_defs}
    names.pop(NAME, None)
    origin = context.code_location_origin

    failures, failed, gone = read_failed_runs(instance, graph, before.failures)
    reasons: dict[Incident, str] = {**failed}
    others = failed_checks(instance, checks)
    others |= failed_ticks(instance, names, origin.location_name if origin else None)
    once = {key for key in checks if key.name in REPORTED_ONCE}
    briefly, checked = briefly_failed(instance, once, before.checked)
    reasons.update(briefly | others)
    now = Situation(
        open={*failures.marks, *others},
        reasons=reasons,
        exists={*map(check_name, checks), *names.values(), *(set(before.failures.marks) - gone)},
    )
    return now, failures, checked


def _repository(context: dg.SensorEvaluationContext) -> Any:
    if context.repository_def is None:
        raise dg.DagsterInvariantViolationError("the alert sensor needs its code location")
    return context.repository_def
