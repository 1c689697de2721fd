"""The jobs that schedules and sensors request; people may launch them, too."""

from collections.abc import Iterator
from typing import Any, TypeAlias

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from sync_assets.lib.assets.materialize_lists import materialize_lists
from sync_assets.lib.assets.sync_config import ListsConfig, job_name, op_name, planned_lists
from sync_assets.lib.automation.queue_tags import queue_tags
from sync_assets.sources.rest.api import Api, Parent

Job: TypeAlias = "dg.JobDefinition | UnresolvedAssetJobDefinition"


def tables_job_name(api: Api) -> str:
    """Return the name of the job that syncs the tables of an API."""
    return f"{api.name}_tables_sync"


def build_tables_job(api: Api, tables: dg.AssetsDefinition) -> UnresolvedAssetJobDefinition:
    """Build the job that syncs the assets without partitions, or those that a run selects."""
    return dg.define_asset_job(
        tables_job_name(api),
        dg.AssetSelection.assets(*sorted(tables.keys)),
        tags=queue_tags(api, partitioned=False),
        description=f"Syncs the {api.name} tables that are one list.",
    )


def build_sync_job(api: Api, parent: Parent) -> dg.JobDefinition:
    """Build the job that syncs lists below any partitions of a parent; its config names them.

    A run of the assets themselves covers only one partition or one unbroken range.
    """

    @dg.op(name=op_name(api, parent), out=dg.Out(dg.Nothing))
    def sync_lists(context: dg.OpExecutionContext, config: ListsConfig) -> Iterator[Any]:
        lists = planned_lists(api, parent, config.model_dump()["lists"])
        children = api.children(parent.resource)
        if odd := {name for one in config.lists for name in one.resources} - {*children}:
            raise dg.Failure(
                f"no resources below {parent.resource}: {', '.join(sorted(odd))}; "
                f"those are {', '.join(children)}"
            )
        yield from materialize_lists(context, api, parent, lists, config)

    @dg.job(
        name=job_name(api, parent),
        tags=queue_tags(api, partitioned=True),
        description=f"Syncs any partitions of {parent.partitions} in one run: its config names "
        "them.",
    )
    def job() -> None:
        sync_lists()

    return job
