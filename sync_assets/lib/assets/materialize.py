"""What a run of assets does: it syncs the selected lists and reports each to Dagster."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, TypeAlias

import dagster as dg

from sync_assets.base.errors import SyncError
from sync_assets.lib.assets.reads import Read, reading
from sync_assets.lib.assets.reruns import first_attempt
from sync_assets.lib.assets.results import Event, failure, materialization, observation
from sync_assets.lib.assets.sync_config import SyncConfig
from sync_assets.lib.checks.definitions import beginning, findings
from sync_assets.lib.keys import parent_id
from sync_assets.planning.settings import automation
from sync_assets.sources.rest.api import Api, Parent
from sync_assets.sources.rest.extract.sync_result import SyncResult
from sync_assets.sources.rest.extract.whole import lists_of, parts_of
from sync_assets.warehouse.connection.destination import is_embedded
from sync_assets.warehouse.errors import WarehouseLostError
from sync_assets.warehouse.progress import Progress
from sync_assets.warehouse.sync import Request, commits

RETRIES = 2
PAUSE_SECONDS = 20.0

Context: TypeAlias = "dg.AssetExecutionContext | dg.OpExecutionContext"


def materialize_tables(
    context: dg.AssetExecutionContext, api: Api, config: SyncConfig
) -> Iterator[Event]:
    """Sync the selected unpartitioned resources; see `run`."""
    request = Request(api, _selected(context, api), None, config.allow_empty, since(context))
    return run(context, request, config.read, alone=True)


def materialize_partitions(
    context: dg.AssetExecutionContext, api: Api, parent: Parent, config: SyncConfig
) -> Iterator[Event]:
    """Sync the selected children below the run's partitions; see `run`."""
    parents = {parent.resource: [parent_id(key) for key in context.partition_keys]}
    request = Request(api, _selected(context, api), parents, config.allow_empty, since(context))
    return run(context, request, config.read, alone=len(context.partition_keys) == 1)


def run(context: Context, request: Request, read: Read, *, alone: bool) -> Iterator[Event]:
    """Sync, and yield an event for each partition or unpartitioned asset once it is loaded.

    Raises `dagster.Failure` at the end if a list failed; the message names the partition keys. The
    lists that were loaded stay.
    """
    result = SyncResult()
    for result in _commits(context, request, read):
        if result.round is not None:
            for name in request.resources:
                yield from _events(request.api, result, name, alone=alone)
    if result.failed() or not alone:
        _evaluate_checks(context, request)
    if result.failed():
        raise failure(request.api, result)


def _events(api: Api, result: SyncResult, resource: str, *, alone: bool) -> Iterator[Event]:
    """Yield the events of a resource; an observation if a part of an unpartitioned one failed."""
    endpoint = api.endpoints[resource]
    for listing in lists_of(result, endpoint):
        if listing.error is not None or (listing.parent is not None) != endpoint.partitioned:
            continue
        parts = [] if endpoint.partitioned else parts_of(result, endpoint)
        if any(part.error is not None for part in parts):
            yield observation(api, listing)
        else:
            yield materialization(api, listing, alone=alone or not endpoint.partitioned)


def _evaluate_checks(context: Context, request: Request) -> None:
    """Evaluate the checks here, because Dagster skips their step in such runs."""
    settings, began = automation(request.api), beginning(context.instance, context.run.run_id)
    found = findings(request.api, request.resources, settings, began, context.log.info)
    for key, finding in found.items():
        evaluation: Any = finding.evaluation(key.asset_key, key.name)
        context.log_event(evaluation)  # an op's context takes it, too, and does not say so


def _commits(context: Context, request: Request, read: Read) -> Iterator[SyncResult]:
    """Sync; wait if the warehouse cannot be reached for a moment.

    Before the first list is read, the step is retried by Dagster. After that this attempt waits,
    because a new one would read everything again.
    """
    progress = Progress(context.log.info)
    pauses = [] if is_embedded() else [PAUSE_SECONDS] * RETRIES
    try:
        asked = reading(request, read, progress.say)
        yield from commits(asked, progress, pauses=pauses)
    except WarehouseLostError as error:
        if is_embedded() or progress.has_begun or context.retry_number == RETRIES:
            raise dg.Failure(str(error)) from error
        raise dg.RetryRequested(RETRIES, PAUSE_SECONDS) from error
    except SyncError as error:
        raise dg.Failure(str(error)) from error
    progress.flush()


def since(context: Context) -> datetime | None:
    """Return when the first attempt of a retried run began; None if this is the first attempt."""
    return first_attempt(context.instance, context.run, context.retry_number)


def _selected(context: dg.AssetExecutionContext, api: Api) -> list[str]:
    selected = {key.path[-1] for key in context.selected_asset_keys}
    return [name for name in api.endpoints if name in selected]
