"""One sensor that tells people what went wrong, once for each incident, and when it is over.

Its cursor holds what was told. A tick that reaches nobody fails and leaves the cursor as it was,
so that the next one tells it; an address that alone cannot be reached is owed what it missed.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

from sync_assets.lib.alerts.channels import VARIABLE, channels
from sync_assets.lib.alerts.delivery import DeliveryError as DeliveryError
from sync_assets.lib.alerts.delivery import Owed, deliver
from sync_assets.lib.alerts.failed_runs import Failures, List, is_cursor
from sync_assets.lib.alerts.incidents import briefly_failed, check_name, failed_checks, failed_ticks
from sync_assets.lib.alerts.messages import Incident, News, lines_of
from sync_assets.lib.checks.catalog import TOLD_ONCE
from sync_assets.lib.cursors import mapping, stored, texts, whole

NAME = "alerts"
INTERVAL_SECONDS = 30


@dataclass
class State:
    """What the cursor holds: failed lists, other open incidents, and what is owed by address.

    `checked` is the newest evaluation that was seen.
    """

    failures: Failures = field(default_factory=Failures)
    open: set[str] = field(default_factory=set)
    owed: dict[int, Owed] = field(default_factory=dict)
    checked: int = 0

    @classmethod
    def load(cls, cursor: str | None) -> State:
        """The state of a cursor; what is not to be understood in it begins anew."""
        data = stored(cursor)
        marks = {
            (asset, key): int(mark)
            for asset, by_mark in mapping(data.get("failed")).items()
            for mark, keys in mapping(by_mark).items()
            for key in (keys if mark.isdecimal() and isinstance(keys, list) else ())
            if key is None or isinstance(key, str)
        }
        owed = {
            int(position): Owed.read(value)
            for position, value in mapping(data.get("owed")).items()
            if position.isdecimal()
        }
        runs = data.get("runs") if is_cursor(data.get("runs")) else None
        failures = Failures(runs, texts(data.get("waiting")), marks)
        return cls(failures, set(texts(data.get("open"))), owed, whole(data.get("checked")))

    def dump(self) -> str:
        """The cursor; thousands of partitions that failed are a few bytes each."""
        failed: dict[str, dict[int, list[str | None]]] = defaultdict(lambda: defaultdict(list))
        for (asset, key), mark in self.failures.marks.items():
            failed[asset][mark].append(key)
        return json.dumps(
            {
                "runs": self.failures.cursor,
                "waiting": self.failures.waiting,
                "failed": failed,
                "open": sorted(self.open),
                "checked": self.checked,
                "owed": {position: owed.write() for position, owed in self.owed.items()},
            }
        )


def build_alert_sensor() -> dg.SensorDefinition:
    """Tells the addresses in `ALERTS__URLS` of failed runs, checks, sensors and schedules."""

    @dg.sensor(
        name=NAME,
        minimum_interval_seconds=INTERVAL_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Tells {VARIABLE} what failed, once, and when it recovered; silent if unset.",
    )
    def alerts(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        whom = channels()
        if not whom:
            return dg.SkipReason(f"{VARIABLE} is not set: nobody is to be told")
        state = State.load(context.cursor)
        lines = look(context, state)
        state.owed, troubles = deliver(whom, state.owed, lines)
        count = len(state.failures.marks) + len(state.open)
        said = f"{count} incidents are open, {len(lines)} lines of news were told"
        return dg.SensorResult(skip_reason="; ".join([said, *troubles]), cursor=state.dump())

    return alerts


def look(context: dg.SensorEvaluationContext, state: State) -> list[News]:
    """The news since the state was last brought up to date, in lines; the state is then."""
    instance, repository = context.instance, _repository(context)
    graph = repository.asset_graph
    checks = graph.asset_check_keys
    names = {sensor.name: f"sensor {sensor.name}" for sensor in repository.sensor_defs}
    names |= {schedule.name: f"schedule {schedule.name}" for schedule in repository.schedule_defs}
    names.pop(NAME, None)
    origin = context.code_location_origin

    lists = set(state.failures.marks)
    before: set[Incident] = {*lists, *state.open}
    reasons: dict[Incident, str] = dict(state.failures.look(instance, graph))
    retired = _retired(instance, graph, state.failures.marks)
    for one in retired:
        del state.failures.marks[one]
    others = failed_checks(instance, checks)
    others |= failed_ticks(instance, names, origin.location_name if origin else None)
    state.open = set(others)
    once = {key for key in checks if key.name in TOLD_ONCE}
    briefly, state.checked = briefly_failed(instance, once, state.checked)
    reasons.update(briefly | others)

    handled: set[Incident] = {*before, *retired}
    news = {what: why for what, why in reasons.items() if what not in handled}
    over = {*before, *briefly} - {*state.failures.marks, *state.open}
    known: set[Incident] = {*map(check_name, checks), *names.values(), *(lists - retired)}
    return lines_of(news, over & known, over - known)


def _retired(instance: dg.DagsterInstance, graph: Any, lists: Collection[List]) -> set[List]:
    """The lists whose asset or partition is no more, so that nothing can recover them."""
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


def _repository(context: dg.SensorEvaluationContext) -> Any:
    if context.repository_def is None:
        raise dg.DagsterInvariantViolationError("the alert sensor needs its code location")
    return context.repository_def
