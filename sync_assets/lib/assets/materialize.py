"""What a run does: sync the selected resources and partitions, and tell Dagster list by list."""

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
    """Sync the selected children below the run's partitions."""
    parents = {parent.resource: [parent_id(key) for key in context.partition_keys]}
    request = Request(api, _selected(context, api), parents, config.allow_empty, since(context))
    return run(context, request, config.read, alone=len(context.partition_keys) == 1)


def run(context: Context, request: Request, read: Read, *, alone: bool) -> Iterator[Event]:
    """Sync; give an event for each partition, or asset without partitions, once it is loaded.

    Raises `Failure` at the end where any list failed, with the failed keys; the others stand.
    """
    journal = SyncResult()
    for journal in _commits(context, request, read):
        if journal.round is not None:
            for name in request.resources:
                yield from _told(request.api, journal, name, alone=alone)
    if journal.failed() or not alone:
        _evaluate_checks(context, request)
    if journal.failed():
        raise failure(request.api, journal)


def _told(api: Api, journal: SyncResult, resource: str, *, alone: bool) -> Iterator[Event]:
    """The events of a resource: none where it is red, but what was loaded of it all the same."""
    endpoint = api.endpoints[resource]
    for listing in lists_of(journal, endpoint):
        if listing.error is not None or (listing.parent is not None) != endpoint.partitioned:
            continue
        parts = [] if endpoint.partitioned else parts_of(journal, endpoint)
        if any(part.error is not None for part in parts):
            yield observation(api, listing)
        else:
            yield materialization(api, listing, alone=alone or not endpoint.partitioned)


def _evaluate_checks(context: Context, request: Request) -> None:
    """Evaluate the checks here, where Dagster skips their own step."""
    settings, began = automation(request.api), beginning(context.instance, context.run.run_id)
    found = findings(request.api, request.resources, settings, began, context.log.info)
    for key, finding in found.items():
        evaluation: Any = finding.evaluation(key.asset_key, key.name)
        context.log_event(evaluation)  # an op's context takes it, too, and does not say so


def _commits(context: Context, request: Request, read: Read) -> Iterator[SyncResult]:
    """Sync; a server that is away for a moment is waited for.

    Before a list is read in a new attempt of the step, then in this one: a new one reads again.
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
    """When the first attempt of a run that is executed again began; None for a first attempt."""
    return first_attempt(context.instance, context.run, context.retry_number)


def _selected(context: dg.AssetExecutionContext, api: Api) -> list[str]:
    selected = {key.path[-1] for key in context.selected_asset_keys}
    return [name for name in api.endpoints if name in selected]
