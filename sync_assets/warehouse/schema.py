"""Creates the tables of a load, marks them as made by a sync, and converts changed columns.

dlt adds tables and columns but ignores every other difference, so a column of another type would
hold wrong values or none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from typing import cast

import dlt
from dlt.common.destination.exceptions import DestinationException
from dlt.common.schema.typing import TColumnSchema, TTableSchemaColumns
from dlt.destinations.job_client_impl import SqlJobClientBase

from sync_assets.sources.rest.api import Api
from sync_assets.warehouse.casts import READS_AS
from sync_assets.warehouse.connection.destination import is_duckdb
from sync_assets.warehouse.connection.postgres import is_postgres
from sync_assets.warehouse.connection.readers import change_patiently
from sync_assets.warehouse.connection.staging import drop_abandoned
from sync_assets.warehouse.connection.transient import failure_of
from sync_assets.warehouse.errors import WarehouseError
from sync_assets.warehouse.ownership import BOOKS, SYNCS, Ownership, refusal
from sync_assets.warehouse.state.list_history import FILLED
from sync_assets.warehouse.state.syncs import mark
from sync_assets.warehouse.tables import Tables
from sync_assets.warehouse.typed.stored import dialect_of, stored_types
from sync_assets.warehouse.typed.views import SUFFIX, TypedViews

BATCH_SIZE = 10_000
SHOWN, LONGEST = 3, 60


def make_tables(
    pipeline: dlt.Pipeline, api: Api, say: Callable[[str], None], taken_over: Iterable[str] = ()
) -> None:
    """Make missing tables, even if somebody dropped them: dlt trusts its own record of the schema.

    The typed views are made with the tables; see `typed`. Raises `WarehouseError` if a table is
    neither ours nor `taken_over`, if stored values do not fit the type that their column is
    declared with now, and if others use a table for too long.
    """
    try:
        with pipeline.destination_client() as client:
            client = cast("SqlJobClientBase", client)  # capabilities.py refuses others
            _refuse_foreign(pipeline, client, taken_over)
            client.initialize_storage()
            views = _views(pipeline, api, client, say)
            if is_duckdb(pipeline.destination):
                drop_abandoned(client.sql_client)

            def change() -> None:
                if views is not None:
                    _fit(client, api, views)
                _make(client)

            if is_postgres(pipeline.destination):
                datasets = [f"{pipeline.dataset_name}{part}" for part in ("", f"_{SUFFIX}")]
                change_patiently(client.sql_client, datasets, change, say)
            else:
                change()
            if views is not None:
                stored = stored_types(client, api)
                views.update(stored)
                views.describe_tables(stored)
    except DestinationException as error:
        what = f"the tables of {pipeline.dataset_name} could not be made"
        raise failure_of(error, what) from None


def _names(client: SqlJobClientBase) -> list[str]:
    """Return the tables of a load, without dlt's own."""
    return [name for name in client.schema.tables if name not in client.schema.dlt_table_names()]


def _refuse_foreign(
    pipeline: dlt.Pipeline, client: SqlJobClientBase, taken_over: Iterable[str]
) -> None:
    """Refuse tables that somebody else made since the lists were read."""
    for name in Ownership(client.sql_client, taken_over).foreign(_names(client)):
        message = refusal(pipeline.pipeline_name, pipeline.dataset_name, name)
        raise WarehouseError(f"{message} No table was loaded.")


def _make(client: SqlJobClientBase) -> None:
    """Create tables and their marks in one transaction, so a kill leaves none without a mark."""
    client.update_stored_schema([*client.schema.dlt_table_names(), SYNCS], force=True)
    with client.sql_client.begin_transaction():
        mark(
            Tables(client.sql_client, in_transaction=True),
            [name for name in _names(client) if name not in BOOKS],
        )
        client.maybe_ddl_transaction = nullcontext  # type: ignore[method-assign, assignment]
        try:
            client.update_stored_schema(force=True)
        finally:
            del client.maybe_ddl_transaction  # an attempt that failed may be made again


def _views(
    pipeline: dlt.Pipeline, api: Api, client: SqlJobClientBase, say: Callable[[str], None]
) -> TypedViews | None:
    """Make the typed views, on the two warehouses that have them."""
    dialect = dialect_of(pipeline.destination)
    return TypedViews(api, client.sql_client, dialect, say) if dialect else None


def _fit(client: SqlJobClientBase, api: Api, views: TypedViews) -> None:
    """Convert the existing columns to the load's schema, all of them or none."""
    with client.sql_client.begin_transaction():
        tables = [
            (_Table(client, name), stored)
            for name, stored in list(client.get_storage_tables(_names(client)))
            if stored
        ]
        changes = [
            f"ALTER TABLE {table.name} {change}"
            for table, stored in tables
            for change in _changes(table, stored)
        ]
        changes += [
            statement
            for table, stored in tables
            if table.is_of_syncs
            for statement in _filled(table, stored)
        ]
        converts = any(" TYPE " in change for change in changes)
        with views.aside(lambda: stored_types(client, api)) if converts else nullcontext():
            for change in changes:
                client.sql_client.execute_sql(change)


class _Table:
    """A table, with the types and casts of its warehouse."""

    def __init__(self, client: SqlJobClientBase, name: str) -> None:
        self._client, self._prepared = client, client.prepare_load_table(name)
        self.is_of_syncs = name == SYNCS
        self.name = client.sql_client.make_qualified_table_name(name)
        self.columns = client.schema.get_table_columns(name)
        self.column = client.sql_client.escape_column_name

    def kind(self, column: TColumnSchema) -> str:
        """Return the warehouse's name for a column's type."""
        return self._client.type_mapper.to_destination_type(column, self._prepared)

    def value(self, name: str, old: str, new: str) -> str:
        """Return the expression of a column's values from which they are cast to another type."""
        if (old, new) == ("double", "bigint"):  # as text a whole double may be 1e+16
            return self.column(name)
        return f"CAST({self.column(name)} AS {self.kind({'name': name, 'data_type': 'text'})})"

    def texts(self, name: str) -> Iterator[tuple[str, int]]:
        """Yield the texts that a column holds, each with its number of rows."""
        text = self.value(name, "", "text")
        query = f"SELECT {text}, count(*) FROM {self.name} WHERE {self.column(name)} IS NOT NULL"
        with self._client.sql_client.execute_query(f"{query} GROUP BY 1") as cursor:
            while rows := cursor.fetchmany(BATCH_SIZE):
                yield from rows


def _changes(table: _Table, stored: TTableSchemaColumns) -> Iterator[str]:
    for name, new in table.columns.items():
        if name not in stored and not new.get("nullable", True):
            # the rows that are there have no value for it
            yield f"ADD COLUMN {table.column(name)} {table.kind(new)}"
    for name, column in stored.items():
        column_wanted = table.columns.get(name)
        old, new_type = str(column["data_type"]), str((column_wanted or column)["data_type"])
        if column_wanted and new_type != old:
            _refuse_losses(table, name, old, new_type)
            kind = table.kind(column_wanted)
            cast = f"CAST({table.value(name, old, new_type)} AS {kind})"
            yield f"ALTER COLUMN {table.column(name)} TYPE {kind} USING {cast}"
        if not column.get("nullable", True) and (column_wanted or {}).get("nullable", True):
            yield f"ALTER COLUMN {table.column(name)} DROP NOT NULL"


def _filled(table: _Table, stored: TTableSchemaColumns) -> Iterator[str]:
    """Yield SQL that fills new columns of `_syncs` in old rows: a list may rest for a month."""
    missing = [name for name in FILLED if name not in stored]
    for name in missing:
        kind = table.kind(table.columns[name])
        yield f"ALTER TABLE {table.name} ADD COLUMN {table.column(name)} {kind}"
    if missing:  # at once: DuckDB alters no table that the same transaction has updated
        values = [f"{table.column(name)} = {table.column(FILLED[name])}" for name in missing]
        yield f"UPDATE {table.name} SET {', '.join(values)}"


def _refuse_losses(table: _Table, name: str, old: str, new: str) -> None:
    """Raise `WarehouseError` if a conversion would change or lose a value."""
    whole = (old, new) == ("double", "bigint")
    bad = {
        text: count
        for text, count in table.texts(name)
        if not READS_AS[new](text.removesuffix(".0") if whole else text)
    }
    if bad:
        shown = [repr(text[:LONGEST]) for text in sorted(bad)[:SHOWN]]
        raise WarehouseError(
            f"{table.name}.{table.column(name)} holds {old} and is declared {new} now, but what "
            f"{sum(bad.values())} of its rows hold cannot be converted: {', '.join(shown)}"
            f"{', ...' if len(bad) > SHOWN else ''}. Nothing was "
            f"changed. Declare it as text, or set these values to NULL, and sync again."
        )
