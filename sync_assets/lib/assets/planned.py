"""Tells Dagster which partitions a run is going to materialize, where the job does not say it.

Dagster plans the assets of a job by the job's partition, which is one or one unbroken range. It
shows what is planned as in progress, and as failed where the run fails without it.
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
    """Report that the run of a context intends to materialize some lists."""
    step = str(context.op_handle)
    for resource, key in lists:
        planned = DagsterEvent.build_asset_materialization_planned_event(
            context.job_name, step, AssetMaterializationPlannedData(asset_key(api, resource), key)
        )
        context.instance.report_dagster_event(planned, context.run_id, logging.DEBUG)
