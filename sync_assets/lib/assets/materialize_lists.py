"""What a run of a sync job does: it syncs the lists that its config names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import dagster as dg

from sync_assets.base.enumeration import some
from sync_assets.lib.assets.materialize import run, since
from sync_assets.lib.assets.planned import plan
from sync_assets.lib.assets.results import Event
from sync_assets.lib.assets.sync_config import Listed, SyncConfig
from sync_assets.lib.keys import parent_id
from sync_assets.lib.materialized import partitions_since
from sync_assets.lib.translator import asset_key
from sync_assets.sources.rest.api import Api, Parent
from sync_assets.sources.rest.list_key import ListKey
from sync_assets.warehouse.sync import Request

NAMED = 20


def materialize_lists(
    context: dg.OpExecutionContext,
    api: Api,
    parent: Parent,
    lists: Sequence[Listed],
    config: SyncConfig,
) -> Iterator[Event]:
    """Sync lists below partitions of a parent and yield their events.

    Lists are left out if their partition is retired or an earlier attempt of the run loaded them.
    """
    wanted = _still_wanted(context, api, parent, lists)
    if not wanted:
        context.log.info("no list is left to sync")
        return
    if context.retry_number == 0:
        plan(context, api, wanted)
    ids = {key: parent_id(str(key)) for _, key in wanted}
    resources = {resource for resource, _ in wanted}
    every = {ListKey(resource, identity) for resource in resources for identity in ids.values()}
    request = Request(
        api,
        [name for name in api.endpoints if name in resources],
        {parent.resource: list(ids.values())},
        config.allow_empty,
        left_out=every - {ListKey(resource, ids[key]) for resource, key in wanted},
    )
    yield from run(context, request, config.read, alone=False)


def _still_wanted(
    context: dg.OpExecutionContext, api: Api, parent: Parent, lists: Sequence[Listed]
) -> list[Listed]:
    known = set(context.instance.get_dynamic_partitions(parent.partitions))
    if gone := list(dict.fromkeys(str(key) for _, key in lists if key not in known)):
        context.log.warning(
            f"left out, as they are no longer partitions of {parent.partitions}: "
            f"{some(gone, NAMED)}"
        )
    began = since(context)
    loaded = {
        (resource, key)
        for resource in {resource for resource, _ in lists if began}
        for key in partitions_since(
            context.instance, asset_key(api, resource), began.timestamp() if began else 0
        )
    }
    return [one for one in dict.fromkeys(lists) if one[1] in known and one not in loaded]
