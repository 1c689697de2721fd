"""One load: complete lists replace their rows, and the result is compared with what was read."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import dlt
from dlt.pipeline.exceptions import PipelineStepFailed

from sync_assets.sources.rest.api import Api
from sync_assets.sources.rest.extract.lists import ListReader
from sync_assets.sources.rest.extract.sync_result import SyncResult
from sync_assets.sources.rest.extract.whole import lists_of
from sync_assets.sources.rest.list_key import ListKey
from sync_assets.sources.rest.list_result import ListResult
from sync_assets.warehouse.catching_up import behind, catch_up
from sync_assets.warehouse.connection.destination import database_file
from sync_assets.warehouse.connection.driver_errors import plain, translate_errors
from sync_assets.warehouse.connection.lock import single_writer
from sync_assets.warehouse.connection.postgres import list_locks
from sync_assets.warehouse.connection.staging import drop_own
from sync_assets.warehouse.errors import WarehouseError
from sync_assets.warehouse.state.changes import compare_with_held
from sync_assets.warehouse.state.held import rows_by_list
from sync_assets.warehouse.state.ledger import forget_old_loads
from sync_assets.warehouse.state.quarantine import LIST_COLUMN, QUARANTINE_TABLE, scope
from sync_assets.warehouse.state.readings import outdated
from sync_assets.warehouse.state.syncs import record
from sync_assets.warehouse.state.vanished import remove, vanished
from sync_assets.warehouse.tables import Tables, locked_tables, open_tables


def load_and_prove(
    pipeline: dlt.Pipeline,
    lists: ListReader,
    names: Sequence[str],
    make: Callable[[dlt.Pipeline], None],
) -> list[ListResult]:
    """Load what a round took of some resources; load nothing if a newer reading of a list exists.

    Returns the lists with a newer reading. Raises `TableRefusedError` if a table does not accept
    the rows, `WarehouseLostError` if the warehouse is unavailable, and `WarehouseError` otherwise.
    """
    api, result, say = lists.api, lists.result, lists.result.observer.say
    gone = vanished(api, names, result)
    scopes = [scope(listing) for listing in [*asked_for(api, names, result), *gone]]
    with (
        translate_errors(pipeline.dataset_name),
        single_writer(database_file(pipeline), say),
        list_locks(pipeline, scopes, make, say) as holding,
    ):
        with open_tables(pipeline) if holding is None else locked_tables(holding) as tables:
            if older := outdated(tables, asked_for(api, names, result), say):
                return older
            if late := behind(tables, lists):
                catch_up(pipeline, lists, late)
            compare_with_held(tables, lists)
        load_files(pipeline, say)
        with open_tables(pipeline) if holding is None else locked_tables(holding) as tables:
            _clear(tables, api, names, result, gone)
            _verify(tables, api, names, result)
            record(tables, api, asked_for(api, names, result), result)
            forget_old_loads(tables, api)
    return []


def load_files(pipeline: dlt.Pipeline, say: Callable[[str], None]) -> None:
    """Load the extracted files, and drop the staging dataset of the load."""
    try:
        pipeline.load()
    except PipelineStepFailed as error:
        raise plain(error, f"{pipeline.dataset_name} could not be loaded") from None
    finally:
        drop_own(pipeline, say)


def asked_for(api: Api, names: Sequence[str], result: SyncResult) -> list[ListResult]:
    """Return what a load takes of some resources: lists, and whole tables without partitions."""
    return [listing for name in names for listing in lists_of(result, api.endpoints[name])]


def _clear(
    tables: Tables,
    api: Api,
    names: Sequence[str],
    result: SyncResult,
    gone: Sequence[ListResult],
) -> None:
    """Remove what complete lists no longer hold but a load without rows leaves behind."""
    remove(tables, api, gone)
    complete = [item for item in asked_for(api, names, result) if item.error is None]
    clean = [scope(item) for item in complete if not item.problems]
    if tables.counts(QUARANTINE_TABLE, None):
        tables.delete(QUARANTINE_TABLE, LIST_COLUMN, clean)
    for name in names:
        endpoint = api.endpoints[name]
        emptied = [
            listing.parent
            for listing in complete
            if listing.resource == name and not listing.rows and listing.parent is not None
        ]
        if emptied and any(result.held.get(ListKey(name, parent)) for parent in emptied):
            tables.delete(name, str(endpoint.parent_param), emptied)


def _verify(tables: Tables, api: Api, names: Sequence[str], result: SyncResult) -> None:
    """Fail every list whose rows in the warehouse are not those that were read."""
    holds = rows_by_list(tables, api, names)
    for listing in result.complete():
        rows = holds.get(listing.key, 0)
        if listing.resource in names and rows != listing.rows:
            message = f"{listing.name}: {listing.rows} rows were read, the warehouse holds {rows}"
            result.record(listing, WarehouseError(f"{message}. Sync it again."))
