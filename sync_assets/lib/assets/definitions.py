"""The assets of an API: one op for tables, and one for the children of each partitioned parent."""

from collections.abc import Callable, Iterator
from typing import Any

import dagster as dg
from dagster_dlt import build_dlt_asset_specs
from dlt.common.schema import Schema
from dlt.extract import DltSource

from sync_assets.lib.assets.materialize import materialize_partitions, materialize_tables
from sync_assets.lib.assets.results import Event
from sync_assets.lib.assets.sync_config import SyncConfig
from sync_assets.lib.translator import ResourceTranslator
from sync_assets.planning.settings import AutomationSettings
from sync_assets.sources.rest.account import Account
from sync_assets.sources.rest.api import Api, Parent
from sync_assets.sources.rest.extract.lists import ListReader
from sync_assets.sources.rest.extract.sync_result import SyncResult
from sync_assets.sources.rest.resources import build_resources


def build_table_assets(api: Api, settings: AutomationSettings) -> dg.AssetsDefinition:
    """Build the unpartitioned assets of an API."""

    @_assets(api, api.unpartitioned(), settings, name=api.name)
    def tables(context: dg.AssetExecutionContext, config: SyncConfig) -> Iterator[Event]:
        yield from materialize_tables(context, api, config)

    return tables


def build_partition_assets(
    api: Api, parent: Parent, settings: AutomationSettings, policy: dg.BackfillPolicy
) -> dg.AssetsDefinition:
    """Build the children of a parent, partitioned by its ids; a run takes a range of keys."""

    @_assets(
        api,
        api.children(parent.resource),
        settings,
        name=f"{api.name}_{parent.partitions}",
        partitions_def=dg.DynamicPartitionsDefinition(name=parent.partitions),
        backfill_policy=policy,
    )
    def children(context: dg.AssetExecutionContext, config: SyncConfig) -> Iterator[Event]:
        yield from materialize_partitions(context, api, parent, config)

    return children


def _assets(
    api: Api, resources: list[str], settings: AutomationSettings, **options: Any
) -> Callable[[Callable[..., Iterator[Event]]], dg.AssetsDefinition]:
    source = DltSource(
        Schema(api.name), api.name, build_resources(ListReader(Account(api), {}, SyncResult()))
    )
    specs = build_dlt_asset_specs(
        dlt_source=source.with_resources(*resources),
        dlt_pipeline=None,  # type: ignore[arg-type]  # a pipeline made at import writes to disk
        dagster_dlt_translator=ResourceTranslator(api, settings),
    )
    return dg.multi_asset(specs=list(map(_without_objects, specs)), can_subset=True, **options)


def _without_objects(spec: dg.AssetSpec) -> dg.AssetSpec:
    """Remove the metadata of dagster-dlt that the UI shows as "unserializable".

    dagster-dlt keeps objects there for its own Dagster resource. `@dlt_assets` adds them to the
    specs after its translator (0.29.27) and is otherwise this `multi_asset`.
    """
    shown = {k: v for k, v in spec.metadata.items() if not k.startswith("dagster_dlt/")}
    return spec.replace_attributes(metadata=shown)
