"""Reports to Dagster which partitions a run of a sync job will materialize.

Dagster itself only plans one partition or one unbroken range of a job. It shows planned partitions
as in progress, and as failed if the run ends without them.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

import dagster as dg
from dagster._core.events import AssetMaterializationPlannedData, DagsterEvent

from sync_assets.lib.assets.sync_config import Listed
from sync_assets.lib.translator import asset_key
from sync_assets.sources.rest.api import Api


def plan(context: dg.OpExecutionContext, api: Api, lists: Iterable[Listed]) -> None:
    """Report that a run will materialize some lists."""
    step = str(context.op_handle)
    for resource, key in lists:
        planned = DagsterEvent.build_asset_materialization_planned_event(
            context.job_name, step, AssetMaterializationPlannedData(asset_key(api, resource), key)
        )
        context.instance.report_dagster_event(planned, context.run_id, logging.DEBUG)
