"""The sensor that keeps the partitions of a parent in step with its table.

Dagster's own asset sensor loses events, and no declarative condition creates partitions. This
sensor compares the actual partitions with the wanted ones, so a missed event does no harm.
"""

from __future__ import annotations

from collections.abc import Sequence

import dagster as dg

from sync_assets.base.enumeration import some
from sync_assets.lib.automation.partition_cursor import PartitionCursor
from sync_assets.lib.automation.run_requests import runs_below
from sync_assets.lib.default_status import sensor_status
from sync_assets.lib.keys import in_order, partition_key
from sync_assets.lib.translator import asset_key
from sync_assets.planning.settings import AutomationSettings
from sync_assets.sources.rest.api import Api, Parent
from sync_assets.warehouse.dataset import dataset_of
from sync_assets.warehouse.errors import WarehouseBusyError
from sync_assets.warehouse.queries import Followed, follow

INTERVAL_SECONDS, NAMED = 15, 20


def sensor_name(api: Api, parent: Parent) -> str:
    """Return the name of the sensor."""
    return f"{api.name}_{parent.partitions}_partitions"


def build_partition_sensor(
    api: Api,
    parent: Parent,
    job: dg.JobDefinition,
    settings: AutomationSettings,
    longest: int,
) -> dg.SensorDefinition:
    """Build the sensor that follows each sync of the parent: it adds, first syncs and retires keys.

    Keys that somebody else added stay as they are, because another code location may use them. A
    key is retired when two syncs in a row missed it, or three if more than half of the keys would
    go. A run syncs at most `longest` keys (0: all). The rows of retired partitions stay until they
    are pruned. If the parent returns, so does the key, and the history of its lists says whether
    they are due.
    """
    parent_key = asset_key(api, parent.resource)

    @dg.sensor(
        name=sensor_name(api, parent),
        job=job,
        minimum_interval_seconds=INTERVAL_SECONDS,
        default_status=sensor_status(settings),
        description=f"Follows {parent_key.to_user_string()}: adds, first syncs and retires "
        f"partitions of {parent.partitions}.",
    )
    def follow_parent(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        news = _latest(context.instance, parent_key)
        if news is None:
            return dg.SkipReason(f"{parent_key.to_user_string()} was never synced")
        cursor = PartitionCursor.read(context.cursor)
        if cursor.news == news:
            refused = [*_refused(parent, cursor.shared), *_missed(parent, cursor)]
            return dg.SkipReason(" ".join([f"nothing new since sync {news}", *refused]))
        try:
            found = follow(api, parent)
        except WarehouseBusyError as error:
            return dg.SkipReason(f"{error}; the next tick looks again")
        if found is None:
            return dg.SkipReason(
                f"{dataset_of(api)}.{parent.resource} was never synced: no key is added or retired"
            )
        return _result(context, api, parent, cursor, news, found, longest)

    return follow_parent


def _result(
    context: dg.SensorEvaluationContext,
    api: Api,
    parent: Parent,
    cursor: PartitionCursor,
    news: str,
    found: Followed,
    longest: int,
) -> dg.SensorResult:
    """Add the keys that the API lists, and retire those of ours that syncs have missed."""
    listed = set(map(partition_key, found.ids))
    tried = {partition_key(one): below for one, below in found.tried.items()}
    known = set(context.instance.get_dynamic_partitions(parent.partitions))
    ours = cursor.ours(known, listed, tried)
    cursor.miss(ours - listed, found.as_of)
    new, gone = in_order(listed - known), in_order(cursor.retired(ours))
    shared = in_order((known & listed) - ours)
    first = [key for key in new if key not in tried]
    requests = _first_sync(api, parent, first, news, longest)
    follows = cursor.follow(news, (ours | set(new)) - set(gone), shared, tried)
    refused = [*_refused(parent, shared), *_missed(parent, PartitionCursor.read(follows))]
    for message in refused:
        context.log.warning(message)
    return dg.SensorResult(
        run_requests=requests,
        dynamic_partitions_requests=_changes(parent.partitions, new, gone),
        skip_reason=None if requests or not refused else " ".join(refused),
        cursor=follows,
    )


def _refused(parent: Parent, shared: Sequence[str]) -> list[str]:
    """Return a message about keys that somebody else added, if there are any."""
    if not shared:
        return []
    keys = some(shared, NAMED)
    return [
        f"{len(shared)} partitions of {parent.partitions} were added by somebody else, and the API"
        f" lists them too: {keys}. They are neither synced by themselves nor ever deleted. If no "
        "other code location needs them, materialize them once by hand, which makes them ours; "
        "otherwise give the code locations Dagster instances of their own."
    ]


def _missed(parent: Parent, cursor: PartitionCursor) -> list[str]:
    """Return a message about keys that the newest list misses but that stay for now."""
    if not cursor.absent:
        return []
    missing, most = len(cursor.absent), max(cursor.absent.values())
    what = f"{missing} of {len(cursor.added)} partitions of {parent.partitions}"
    keys = some(in_order(cursor.absent), NAMED)
    until = "a third sync in a row" if most > 1 else "the next sync"
    return [
        f"{what} are missing from the newest list of {parent.resource}: {keys}. "
        "They stay, in case the list is short by mistake, until "
        f"{until} misses them too (where more than half are missing a third one); materialize "
        f"{parent.resource} again to let it be known now. If the list is wrong, see whether the "
        "account and the base URL are the right ones."
    ]


def _first_sync(
    api: Api, parent: Parent, new: Sequence[str], news: str, longest: int
) -> list[dg.RunRequest]:
    """Return the runs for new keys."""
    below = dict.fromkeys(new, tuple(sorted(api.children(parent.resource))))
    return [run.request(api, news) for run in runs_below(parent, below, {}, longest)]


def _changes(
    name: str, new: list[str], gone: list[str]
) -> list[dg.AddDynamicPartitionsRequest | dg.DeleteDynamicPartitionsRequest]:
    partitions = dg.DynamicPartitionsDefinition(name=name)
    changes: list[dg.AddDynamicPartitionsRequest | dg.DeleteDynamicPartitionsRequest] = []
    if gone:
        changes.append(partitions.build_delete_request(gone))
    if new:
        changes.append(partitions.build_add_request(new))
    return changes


def _latest(instance: dg.DagsterInstance, key: dg.AssetKey) -> str | None:
    """Return the storage id of the newest materialization of an asset."""
    records = instance.fetch_materializations(key, limit=1).records
    return str(records[0].storage_id) if records else None
