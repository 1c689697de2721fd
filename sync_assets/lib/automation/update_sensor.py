"""A sensor that starts a job after an asset was updated, and sees each updated partition."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import dagster as dg

from sync_assets.lib.default_status import sensor_status
from sync_assets.planning.settings import automation

EVENTS_PER_TICK = 1_000


def build_update_sensor(
    name: str,
    asset: dg.CoercibleToAssetKey,
    job: Any,
    run_config: Callable[[Sequence[str]], dg.RunConfig],
) -> dg.SensorDefinition:
    """Build a sensor that requests one run of a job for an asset's updates since its last tick.

    `run_config` gets the partition keys, each once, in the order of their first materialization;
    none for an asset without partitions. The first tick includes all earlier materializations.
    Dagster's own `asset_sensor` sees only the newest materialization of a tick.
    """
    key = dg.AssetKey.from_coercible(asset)

    @dg.sensor(
        name=name,
        job=job,
        default_status=sensor_status(automation()),
        description=f"Starts a run for what was updated of {key.to_user_string()}.",
    )
    def follow(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        newer = dg.AssetRecordsFilter(key, after_storage_id=int(context.cursor or 0))
        records = context.instance.fetch_materializations(
            newer, limit=EVENTS_PER_TICK, ascending=True
        ).records
        if not records:
            return dg.SkipReason(f"{key.to_user_string()} was not updated")
        keys = dict.fromkeys(one.partition_key for one in records if one.partition_key)
        cursor = str(records[-1].storage_id)
        request = dg.RunRequest(run_key=f"{name} {cursor}", run_config=run_config(list(keys)))
        return dg.SensorResult(run_requests=[request], cursor=cursor)

    return follow
