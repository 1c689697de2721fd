"""Which tables of a dataset a sync made: those that a row of `_syncs` names.

The dataset may hold tables of somebody else, even with the names of ours. dlt's own tables prove
nothing, because another dlt script may load a schema of the same name into the same dataset.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dlt.destinations.exceptions import DatabaseUndefinedRelation
from dlt.destinations.sql_client import SqlClientBase

from sync_assets.base.errors import ConfigurationError
from sync_assets.sources.rest.account import Account
from sync_assets.sources.rest.settings import variable
from sync_assets.warehouse.errors import WarehouseError

SYNCS, QUARANTINE = "_syncs", "_quarantine"
#: The columns that these two tables have had since the first version.
BOOKS = {
    SYNCS: {"list", "resource", "parent", "synced_at", "failures", "error"},
    QUARANTINE: {"list", "position", "resource", "parent", "reason", "record"},
}

OF_POSTGRES = """
SELECT attname FROM pg_attribute
WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped ORDER BY attnum
"""


class Ownership:
    """The columns and the makers of a dataset's tables, read over one connection.

    `taken_over` are tables that the configuration lets syncs replace. Results of queries are
    cached.
    """

    def __init__(self, client: SqlClientBase[Any], taken_over: Iterable[str] = ()) -> None:
        self._client, self._taken_over = client, frozenset(taken_over)
        self._columns: dict[str, tuple[str, ...]] = {}
        self._marked: frozenset[str] | None = None

    def columns(self, table: str) -> tuple[str, ...]:
        """Return the columns of a table or view; empty if it does not exist."""
        if table not in self._columns:
            self._columns[table] = self._read_columns(table)
        return self._columns[table]

    def _read_columns(self, table: str) -> tuple[str, ...]:
        name = self._client.make_qualified_table_name(table)
        if self._client.capabilities.sqlglot_dialect == "postgres":
            # an error would end the transaction, and with it the locks of a load
            return tuple(column for (column,) in self._client.execute_sql(OF_POSTGRES, name) or ())
        try:
            with self._client.execute_query(f"SELECT * FROM {name} WHERE 1 = 0") as cursor:  # noqa: S608
                # Snowflake has them in capitals
                return tuple(str(one[0]).lower() for one in cursor.description or ())
        except DatabaseUndefinedRelation:
            return ()

    def is_ours(self, table: str) -> bool:
        """Whether a table may be read, changed and emptied."""
        if table in BOOKS:
            return set(self.columns(table)) >= BOOKS[table]
        return table in self._taken_over or table in self._marks()

    def foreign(self, tables: Iterable[str]) -> list[str]:
        """Return those of the tables that exist and are not ours."""
        there = [name for name in tables if not self.is_ours(name) and self.columns(name)]
        if not there:
            return []
        # another sync may just have made them: it makes a table and its mark at once
        now = Ownership(self._client, self._taken_over)
        return [name for name in there if not now.is_ours(name)]

    def _marks(self) -> frozenset[str]:
        if self._marked is None:
            self._marked = frozenset(self._read_marks())
        return self._marked

    def _read_marks(self) -> list[str]:
        if not self.is_ours(SYNCS):
            return []
        columns = [name for name in ("resource", "ours") if name in self.columns(SYNCS)]
        names = ", ".join(map(self._client.escape_column_name, columns))
        table = self._client.make_qualified_table_name(SYNCS)
        rows = self._client.execute_sql(f"SELECT DISTINCT {names} FROM {table}") or ()  # noqa: S608
        # an earlier version had no such column, and a row of it only for its own tables
        return [str(resource) for resource, *ours in rows if ours != [False]]


def taken_over(account: Account) -> list[str]:
    """Return the tables that syncs may take over; raise `ConfigurationError` if one is unknown."""
    api, names = account.api, (account.settings.take_over or "").split()
    if unknown := [name for name in names if name not in api.endpoints]:
        raise ConfigurationError(
            f"{variable(api.name, 'take_over')} must name tables of {api.name}, with white space "
            f"between; it has no {', '.join(unknown)}, but {', '.join(api.endpoints)}."
        )
    return names


def refuse_foreign_books(ownership: Ownership, source: str, dataset: str) -> None:
    """Raise `WarehouseError` if `_syncs` or `_quarantine` is a table of somebody else."""
    for table in ownership.foreign(BOOKS):
        raise WarehouseError(refusal(source, dataset, table))


def refusal(source: str, dataset: str, table: str) -> str:
    """Return why a table is not changed, and the remedies."""
    if table in BOOKS:
        return (
            f"{dataset}.{table} is not the table that a sync keeps its notes in: it has other "
            "columns, so it is somebody else's. Nothing was read or changed. Set "
            f"{variable(source, 'dataset')} to another dataset."
        )
    return (
        f"{table}: {dataset}.{table} was there before any sync of {source}, so it is somebody "
        f"else's, and it was left as it is. Set {variable(source, 'dataset')} to another dataset; "
        f"or, if syncs may replace what it holds, {variable(source, 'take_over')}={table}."
    )
