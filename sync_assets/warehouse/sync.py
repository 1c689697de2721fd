"""One sync: reads lists in parallel; complete lists then replace their rows.

extract    into a scratch directory of this sync; lists that fail are left out
normalize  to the destination's file format
load       delete-insert per partition or replace per table, in one transaction per table
verify     the warehouse must then hold as many rows as were read
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Literal

import dlt

from sync_assets.base import stop
from sync_assets.sources.rest.account import Account
from sync_assets.sources.rest.api import Api
from sync_assets.sources.rest.extract.lists import ListReader
from sync_assets.sources.rest.extract.parent_rows import PartsRead
from sync_assets.sources.rest.extract.sync_result import SyncResult
from sync_assets.sources.rest.extract.unfinished import sweep as sweep_unfinished
from sync_assets.sources.rest.list_key import ListKey
from sync_assets.sources.rest.list_result import ListResult
from sync_assets.sources.rest.observer import Observer
from sync_assets.sources.rest.records.names import table_name
from sync_assets.sources.rest.resources import keep_rows_out_of_logs
from sync_assets.sources.rest.settings import variable
from sync_assets.warehouse.connection.destination import open_pipeline
from sync_assets.warehouse.connection.driver_errors import translate_errors
from sync_assets.warehouse.connection.postgres import outlast_timeouts
from sync_assets.warehouse.connection.rights import explained_by_rights, refuse_without_rights
from sync_assets.warehouse.connection.scratch import sweep
from sync_assets.warehouse.dataset import refuse_shared_dataset
from sync_assets.warehouse.errors import WarehouseError
from sync_assets.warehouse.heads import read_heads
from sync_assets.warehouse.load import load_and_prove
from sync_assets.warehouse.load_retries import Again
from sync_assets.warehouse.ownership import refusal, refuse_foreign_books, taken_over
from sync_assets.warehouse.rounds import rounds
from sync_assets.warehouse.schema import make_tables
from sync_assets.warehouse.state.held import Held, rows_by_list
from sync_assets.warehouse.state.parts import parts_read
from sync_assets.warehouse.state.readings import remember_page_sizes, synced_since
from sync_assets.warehouse.tables import open_tables_when_free


@dataclass(frozen=True)
class Request:
    """What to sync of an API: which resources, below which parents (None: all that it lists).

    Lists that were synced `since` are left out, and so are those in `left_out`. With `read` as
    "heads", lists that have earned it are read by their heads. Of tables in parts, the lists whose
    parent's row changed are read. The others are swept, and so are those named in `swept`.
    `account` is the resolved configuration of the API.
    """

    api: Api
    resources: Sequence[str]
    parents: Mapping[str, Sequence[str]] | None = None
    allow_empty: bool = False
    since: datetime | None = None
    account: Account = None  # type: ignore[assignment]  # of the API, where none is given
    left_out: Collection[ListKey] = ()
    read: Literal["sweep", "heads"] = "sweep"
    swept: Collection[ListKey] = ()

    def __post_init__(self) -> None:
        """Convert the names of resources to those of their tables."""
        object.__setattr__(self, "account", self.account or Account(self.api))
        object.__setattr__(self, "resources", [table_name(name) for name in self.resources])


def sync(request: Request, observer: Observer | None = None) -> SyncResult:
    """Sync what is requested; return the result of each list. See `commits`."""
    *_, result = commits(request, observer)
    return result


def commits(
    request: Request, observer: Observer | None = None, *, pauses: Sequence[float] = ()
) -> Iterator[SyncResult]:
    """Sync what is requested; yield the result after each load, with the lists of its round.

    Lists that are complete after `EXECUTION__COMMIT_EVERY` seconds are loaded while others are
    read. If a table refuses its rows, its lists of the round fail, and the others are loaded. If
    the connection to the warehouse is lost, a load is repeated after each of the `pauses`, in
    seconds, without reading again.
    The last result has no round and covers every list of the sync. A resource whose table exists
    and is not ours fails without a request. Raises `ConfigurationError` or `WarehouseError` before
    the first request if the configuration or the warehouse is unusable, and `WarehouseError` if
    the load fails; lists that fail do not raise. On SIGINT and SIGTERM it raises
    `KeyboardInterrupt`, or what their handlers raise, and loads nothing more.
    """
    observer = observer or Observer()
    keep_rows_out_of_logs()
    api, account, say = request.api, request.account, observer.say
    if account.settings.keep_pages is not None:
        say(f"{variable(api.name, 'keep_pages')} has no effect: see RESUME_WITHIN. Remove it.")
    refuse_shared_dataset(account)
    taken = taken_over(account)
    with stop.stoppable(), open_pipeline(api.name, account.dataset) as pipeline:
        if swept := sweep():
            say(f"swept scratch folders of killed syncs: {len(swept)}")
        if swept := sweep_unfinished():
            say(f"swept the pages of lists that nobody went on with: {len(swept)}")
        foreign, held, done, parts = _known(pipeline, request, taken, say)
        ours = [name for name in request.resources if name not in foreign]
        refuse_without_rights(pipeline, ours)
        result = SyncResult(
            strict=False,
            held=held,
            allow_empty=request.allow_empty,
            observer=observer,
            parts_read=parts,
        )
        make = partial(make_tables, api=api, say=say, taken_over=taken)
        if request.read == "heads":
            done |= yield from read_heads(request, ours, done, result, make, pauses)
            pipeline.activate()
        names = [name for name in ours if ListKey(name) not in done]
        load = partial(load_and_prove, make=make)
        with closing(ListReader(account, request.parents or {}, result, done)) as lists:
            yield from rounds(pipeline, lists, names, load, Again(lists, pauses, say))
        for listing in _lists_of(request, foreign):
            reason = refusal(api.name, account.dataset, listing.resource)
            result.record(listing, WarehouseError(reason))
    result.round = None
    yield result


def _known(
    pipeline: dlt.Pipeline, request: Request, taken: Collection[str], say: Callable[[str], None]
) -> tuple[Collection[str], Held, set[ListKey], dict[str, PartsRead]]:
    """Return tables that are not ours, the rows of each list, and the lists that need not be read.

    The last value says which lists of tables in parts need no read if their parent is unchanged.
    """
    api, dataset = request.api, pipeline.dataset_name
    with explained_by_rights(pipeline, request.resources), translate_errors(dataset):
        outlast_timeouts(pipeline)
        with open_tables_when_free(pipeline, say, taken_over=taken) as tables:
            refuse_foreign_books(tables.ownership, api.name, dataset)
            remember_page_sizes(tables, request.account.connection.page_sizes)
            foreign = tables.ownership.foreign(request.resources)
            held = rows_by_list(tables, api, request.resources)
            done = synced_since(tables, api, request.since) if request.since else set()
            done |= set(request.left_out)
            wanted = request.resources if request.read == "heads" else []
            parts = parts_read(tables, api, wanted, request.swept, held)
    return foreign, held, done, parts


def _lists_of(request: Request, resources: Iterable[str]) -> Iterator[ListResult]:
    """Yield the lists that a request names; a resource without given parents counts as one list."""
    for name in resources:
        parent = request.api.endpoints[name].parent
        partitioned = request.api.endpoints[name].partitioned
        given = (request.parents or {}).get(str(parent)) if partitioned else None
        yield from [ListResult(name, one) for one in given] if given else [ListResult(name)]
