"""One sync: read lists side by side, then let the complete ones replace their rows at once.

extract    in a scratch directory of this sync's own; lists that fail are left out
normalize  to the destination's file format
load       delete-insert per partition or replace per table, in one transaction a table
verify     the warehouse must now hold as many rows as the lists did
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

import dlt
import pyarrow as pa
from dlt.common.schema import Schema
from dlt.extract import DltSource
from dlt.pipeline.exceptions import PipelineStepFailed

from sync_assets.base import stop
from sync_assets.sources.rest.api import Api
from sync_assets.sources.rest.extract.lists import ListReader
from sync_assets.sources.rest.extract.rounds import Key
from sync_assets.sources.rest.extract.sync_result import SyncResult
from sync_assets.sources.rest.extract.unfinished import sweep as sweep_unfinished
from sync_assets.sources.rest.list_result import ListResult
from sync_assets.sources.rest.records.names import table_name
from sync_assets.sources.rest.resources import build_resources
from sync_assets.sources.rest.settings import variable
from sync_assets.warehouse.connection.destination import database_file, open_pipeline
from sync_assets.warehouse.connection.driver_errors import plain, translate_errors
from sync_assets.warehouse.connection.lock import silent, single_writer
from sync_assets.warehouse.connection.postgres import outlast_timeouts
from sync_assets.warehouse.connection.rights import explained_by_rights, refuse_without_rights
from sync_assets.warehouse.connection.scratch import sweep
from sync_assets.warehouse.dataset import dataset_of
from sync_assets.warehouse.errors import WarehouseError
from sync_assets.warehouse.load import load_and_prove
from sync_assets.warehouse.load_retries import Again
from sync_assets.warehouse.machines import execution
from sync_assets.warehouse.ownership import refusal, refuse_foreign_books, taken_over
from sync_assets.warehouse.schema import make_tables
from sync_assets.warehouse.state.held import Held, rows_by_list
from sync_assets.warehouse.state.ledger import schema_name
from sync_assets.warehouse.state.quarantine import quarantine
from sync_assets.warehouse.state.readings import synced_since
from sync_assets.warehouse.state.syncs import schema
from sync_assets.warehouse.tables import open_tables


@dataclass(frozen=True)
class Request:
    """What to sync of an API: which resources, below which parents (None: all that it lists).

    Lists that were synced `since` are left out.
    """

    api: Api
    resources: Sequence[str]
    parents: Mapping[str, Sequence[str]] | None = None
    allow_empty: bool = False
    since: datetime | None = None

    def __post_init__(self) -> None:
        """Know the resources by their tables."""
        object.__setattr__(self, "resources", [table_name(name) for name in self.resources])


def sync(
    request: Request,
    *,
    on_listing: Callable[[ListResult], None] | None = None,
    say: Callable[[str], None] | None = None,
) -> SyncResult:
    """Sync what is asked for; the journal tells list by list what came of it. See `commits`."""
    *_, journal = commits(request, on_listing=on_listing, say=say)
    return journal


def commits(
    request: Request,
    *,
    on_listing: Callable[[ListResult], None] | None = None,
    say: Callable[[str], None] | None = None,
    pauses: Sequence[float] = (),
) -> Iterator[SyncResult]:
    """Sync what is asked for; the journal, after each load, whose lists are those of its round.

    What is complete after `EXECUTION__COMMIT_EVERY` seconds is loaded while the rest is read on.
    A table that refuses what it is to hold fails the lists of its round, and the others are loaded
    without it. Where the warehouse is lost, a load is tried again after each of some `pauses`, in
    seconds; nothing is read again for it.
    The last journal is of no round, and tells list by list what came of the sync. A resource whose
    table is there and not ours fails without a request. Raises `ConfigurationError` or
    `WarehouseError` before the first request where either is unusable, and `WarehouseError` where
    the load fails; lists that fail do not raise. On SIGINT and SIGTERM it raises
    `KeyboardInterrupt`, or what their handlers raise, and loads nothing more.
    """
    api, say = request.api, say or silent
    if api.resolve().keep_pages is not None:
        say(f"{variable(api.name, 'keep_pages')} has no effect: pages are not kept. Remove it.")
    dataset, taken = dataset_of(api), taken_over(api)
    with stop.stoppable(), open_pipeline(api.name, dataset) as pipeline:
        if swept := sweep():
            say(f"swept scratch folders of killed syncs: {len(swept)}")
        if swept := sweep_unfinished():
            say(f"swept the pages of lists that nobody went on with: {len(swept)}")
        foreign, held, done = _known(pipeline, request, taken, say)
        ours = replace(request, resources=[n for n in request.resources if n not in foreign])
        refuse_without_rights(pipeline, ours.resources)
        journal = SyncResult(
            strict=False,
            held=held,
            allow_empty=request.allow_empty,
            on_listing=on_listing,
            on_wait=say,
        )
        lists = ListReader(api, api.connect, request.parents or {}, journal, done)
        make = partial(make_tables, taken_over=taken)
        names = [name for name in ours.resources if (name, None) not in done]
        again = Again(lists, pauses, say)
        with closing(lists):
            while names:
                current = again.next_round(execution().commit_every)
                _extract(pipeline, lists, [name for name in names if name not in again.refused])
                load = partial(load_and_prove, pipeline, api, names, journal, make, say)
                if again.loads(pipeline, load):
                    lists.loaded(current.taken)
                    yield journal
                    names = [name for name in names if name in current.pending]
        for listing in _lists_of(request, foreign):
            journal.record(listing, WarehouseError(refusal(api.name, dataset, listing.resource)))
    journal.round = None
    yield journal


def _known(
    pipeline: dlt.Pipeline, request: Request, taken: Collection[str], say: Callable[[str], None]
) -> tuple[Collection[str], Held, set[Key]]:
    """Tables that are not ours, the rows of each list, and the lists that need not be read."""
    api, dataset = request.api, pipeline.dataset_name
    with explained_by_rights(pipeline, request.resources), translate_errors(dataset):
        outlast_timeouts(pipeline)
        with (
            single_writer(database_file(pipeline), say),
            open_tables(pipeline, taken) as tables,
        ):
            refuse_foreign_books(tables.ownership, api.name, dataset)
            foreign = tables.ownership.foreign(request.resources)
            held = rows_by_list(tables, api, request.resources)
            done = synced_since(tables, api, request.since) if request.since else set()
    return foreign, held, done


def _extract(pipeline: dlt.Pipeline, lists: ListReader, names: Sequence[str]) -> None:
    api, journal = lists.api, lists.journal
    source = DltSource(Schema(schema_name(api)), api.name, build_resources(lists))
    source.schema.update_table(schema())
    workers = api.resolve().max_concurrency + 2
    try:
        pipeline.extract(source.with_resources(*names), workers=workers)
        if any(listing.problems for listing in journal.complete()):
            pipeline.extract(quarantine(journal))
        pipeline.normalize()
        pa.default_memory_pool().release_unused()  # the warehouse's driver needs it now
    except PipelineStepFailed as error:
        raise plain(error, f"{api.name} could not be prepared") from None


def _lists_of(request: Request, resources: Iterable[str]) -> Iterator[ListResult]:
    """The lists that a request names of some resources: one each where it names no parents."""
    for name in resources:
        parent = request.api.endpoints[name].parent
        partitioned = request.api.endpoints[name].partitioned
        given = (request.parents or {}).get(str(parent)) if partitioned else None
        yield from [ListResult(name, one) for one in given] if given else [ListResult(name)]
