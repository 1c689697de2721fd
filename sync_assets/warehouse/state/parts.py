"""Which lists of tables in parts need not be read between two sweeps."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sync_assets.sources.rest.api import Api
from sync_assets.sources.rest.extract.parent_rows import PartsRead
from sync_assets.sources.rest.list_key import ListKey
from sync_assets.warehouse.state.held import Held
from sync_assets.warehouse.state.syncs import histories
from sync_assets.warehouse.tables import Tables


def parts_read(
    tables: Tables, api: Api, resources: Iterable[str], swept: Collection[ListKey], held: Held
) -> dict[str, PartsRead]:
    """Return what is known of tables in parts that were swept before and are not `swept` now.

    Lists that failed are not included, nor lists of which the warehouse has more or fewer rows than
    were read: both are read again.
    """
    past = {history.key: history for history in histories(tables)}
    found = {}
    for name in resources:
        table = past.get(ListKey(name))
        if not api.endpoints[name].in_parts or ListKey(name) in swept:
            continue
        if table is not None and table.synced_at is not None:
            rows = {
                str(part.parent): part.parent_row
                for key, part in past.items()
                if key.resource == name and part.parent_row is not None
                if not part.failures and part.rows == held.get(key, 0)
            }
            found[name] = PartsRead(rows, table.synced_at)
    return found
