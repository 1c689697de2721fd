"""One sync: read lists side by side, then let the complete ones replace their rows at once.

extract    in a scratch directory of this sync's own; lists that fail are left out
normalize  to the destination's file format
load       delete-insert per partition or replace per table, in one transaction a table
verify     the warehouse must now hold as many rows as the lists did
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

import dlt
import pyarrow as pa
from dlt.common.schema import Schema
from dlt.extract import DltSource
from dlt.pipeline.exceptions import PipelineStepFailed

from sync_assets.sources.rest import stop
from sync_assets.sources.rest.api import Api
from sync_assets.sources.rest.journal import Journal
from sync_assets.sources.rest.listing import Listing
from sync_assets.sources.rest.lists import Lists
from sync_assets.sources.rest.names import table_name
from sync_assets.sources.rest.resources import build_resources
from sync_assets.sources.rest.settings import variable
from sync_assets.sources.rest.whole import lists_of
from sync_assets.warehouse.again import Again
from sync_assets.warehouse.dataset import dataset_of
from sync_assets.warehouse.destination import database_file, open_pipeline
from sync_assets.warehouse.errors import WarehouseError
from sync_assets.warehouse.execution import execution
from sync_assets.warehouse.held import rows_by_list
from sync_assets.warehouse.history import record, schema
from sync_assets.warehouse.ledger import forget_old_loads, schema_name
from sync_assets.warehouse.lock import exclusive, silent
from sync_assets.warehouse.ownership import refusal, refuse_foreign_books, taken_over
from sync_assets.warehouse.plain_words import in_plain_words, plain
from sync_assets.warehouse.postgres import outlast_timeouts, side_by_side
from sync_assets.warehouse.quarantine import SCOPE, TABLE, quarantine, scope
from sync_assets.warehouse.readings import outdated, synced_since
from sync_assets.warehouse.rights import explained_by_rights, refuse_without_rights
from sync_assets.warehouse.schema import make_tables
from sync_assets.warehouse.scratch import sweep
from sync_assets.warehouse.staging import drop_own
from sync_assets.warehouse.tables import Tables, locked_tables, open_tables
from sync_assets.warehouse.vanished import remove, vanished


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
    on_listing: Callable[[Listing], None] | None = None,
    say: Callable[[str], None] | None = None,
) -> Journal:
    """Sync what is asked for; the journal tells list by list what came of it. See `commits`."""
    *_, journal = commits(request, on_listing=on_listing, say=say)
    return journal


def commits(
    request: Request,
    *,
    on_listing: Callable[[Listing], None] | None = None,
    say: Callable[[str], None] | None = None,
    pauses: Sequence[float] = (),
) -> Iterator[Journal]:
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
        database = database_file(pipeline)
        with explained_by_rights(pipeline, request.resources), in_plain_words(dataset):
            outlast_timeouts(pipeline)
        with (
            explained_by_rights(pipeline, request.resources),
            in_plain_words(dataset),
            exclusive(database, say),
            open_tables(pipeline, taken) as tables,
        ):
            refuse_foreign_books(tables.ownership, api.name, dataset)
            foreign = tables.ownership.foreign(request.resources)
            held = rows_by_list(tables, api, request.resources)
            done = synced_since(tables, api, request.since) if request.since else set()
        ours = replace(request, resources=[n for n in request.resources if n not in foreign])
        refuse_without_rights(pipeline, ours.resources)
        journal = Journal(
            strict=False,
            held=held,
            allow_empty=request.allow_empty,
            on_listing=on_listing,
            on_wait=say,
        )
        lists = Lists(api, api.connect, request.parents or {}, journal, done)
        make = partial(make_tables, taken_over=taken)
        names = [name for name in ours.resources if (name, None) not in done]
        again = Again(lists, pauses, say)
        with closing(lists):
            while names:
                current = again.next_round(execution().commit_every)
                _extract(pipeline, lists, [name for name in names if name not in again.refused])
                part = replace(ours, resources=names)
                load = partial(_load_and_prove, pipeline, part, journal, make, say)
                if again.loads(pipeline, load):
                    yield journal
                    names = [name for name in names if name in current.pending]
        for listing in _lists_of(request, foreign):
            journal.record(listing, WarehouseError(refusal(api.name, dataset, listing.resource)))
    journal.round = None
    yield journal


def _load_and_prove(
    pipeline: dlt.Pipeline,
    request: Request,
    journal: Journal,
    make: Callable[[dlt.Pipeline], None],
    say: Callable[[str], None],
) -> list[Listing]:
    """Load a round; nothing, if there are lists of which a newer reading is there: gives those."""
    gone = vanished(request.api, request.resources, journal)
    lists = [scope(listing) for listing in [*_asked_for(request, journal), *gone]]
    with (
        in_plain_words(pipeline.dataset_name),
        exclusive(database_file(pipeline), say),
        side_by_side(pipeline, lists, make, say) as holding,
    ):
        with open_tables(pipeline) if holding is None else locked_tables(holding) as tables:
            if older := outdated(tables, _asked_for(request, journal), say):
                return older
        _load(pipeline, say)
        with open_tables(pipeline) if holding is None else locked_tables(holding) as tables:
            _clear(tables, request, journal, gone)
            _verify(tables, request, journal)
            record(tables, request.api, _asked_for(request, journal), journal)
            forget_old_loads(tables, request.api)
    return []


def _extract(pipeline: dlt.Pipeline, lists: Lists, names: Sequence[str]) -> None:
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


def _load(pipeline: dlt.Pipeline, say: Callable[[str], None]) -> None:
    try:
        pipeline.load()
    except PipelineStepFailed as error:
        raise plain(error, f"{pipeline.dataset_name} could not be loaded") from None
    finally:
        drop_own(pipeline, say)


def _lists_of(request: Request, resources: Iterable[str]) -> Iterator[Listing]:
    """The lists that a request names of some resources: one each where it names no parents."""
    for name in resources:
        parent = request.api.endpoints[name].parent
        partitioned = request.api.endpoints[name].partitioned
        given = (request.parents or {}).get(str(parent)) if partitioned else None
        yield from [Listing(name, one) for one in given] if given else [Listing(name)]


def _asked_for(request: Request, journal: Journal) -> list[Listing]:
    """The lists of the request's tables, and those that are not partitioned as a whole."""
    return [
        listing
        for name in request.resources
        for listing in lists_of(journal, request.api.endpoints[name])
    ]


def _clear(tables: Tables, request: Request, journal: Journal, gone: Sequence[Listing]) -> None:
    """Remove what complete lists no longer hold and a load without rows leaves behind."""
    remove(tables, request.api, gone)
    complete = [item for item in _asked_for(request, journal) if item.error is None]
    clean = [scope(item) for item in complete if not item.problems]
    if tables.counts(TABLE, None):
        tables.delete(TABLE, SCOPE, clean)
    for name in request.resources:
        endpoint = request.api.endpoints[name]
        emptied = [
            listing.parent
            for listing in complete
            if listing.resource == name and not listing.rows and listing.parent is not None
        ]
        if emptied and any(journal.held.get((name, parent)) for parent in emptied):
            tables.delete(name, str(endpoint.parent_param), emptied)


def _verify(tables: Tables, request: Request, journal: Journal) -> None:
    """Fail every list whose rows are not what the warehouse holds now."""
    holds = rows_by_list(tables, request.api, request.resources)
    for listing in journal.complete():
        rows = holds.get((listing.resource, listing.parent), 0)
        if listing.resource in request.resources and rows != listing.rows:
            message = f"{listing.name}: {listing.rows} rows were read, the warehouse holds {rows}"
            journal.record(listing, WarehouseError(f"{message}. Sync it again."))
