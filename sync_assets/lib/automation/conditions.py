"""Decides when assets that are built on the synced ones are materialized."""

from __future__ import annotations

from typing import Any

import dagster as dg
from dagster import AutomationCondition

from sync_assets.lib.default_status import sensor_status
from sync_assets.planning.settings import automation


def build_automation_sensor() -> dg.AutomationConditionSensorDefinition:
    """Build the sensor that evaluates the automation conditions of all assets, on by default."""
    return dg.AutomationConditionSensorDefinition(
        "automation",
        target=dg.AssetSelection.all(),
        default_status=sensor_status(automation()),
        description="Materializes assets whose automation condition is met.",
    )


def on_each_update() -> dg.AutomationCondition[Any]:
    """Return a condition like `AutomationCondition.eager()` that loses no update of a dependency.

    It requests an asset or partition that was never materialized, and again after each update of
    its dependencies. It waits until each dependency was materialized at least once, and while a
    dependency or the asset itself is in progress.

    `eager()` loses an update (Dagster 1.13.27) that comes between a request and the next tick,
    while the asset is being materialized, or in the tick in which that ends. It never requests
    what was there before its first evaluation. It requests an unpartitioned asset only while no
    partition of a dependency is missing, so one partition that always fails stops it for ever.
    """
    updated = AutomationCondition.any_deps_updated()
    # a request has seen what was updated before it, and nothing of what is updated after it
    handled = AutomationCondition.newly_requested() & ~updated
    due = (AutomationCondition.newly_missing() | updated).since(handled)
    return (
        AutomationCondition.in_latest_time_window()
        & due
        & AutomationCondition.all_deps_match(~AutomationCondition.missing())
        & ~AutomationCondition.any_deps_in_progress()
        & ~AutomationCondition.in_progress()
    ).with_label("on_each_update")
