"""Makes the typed views, and makes them again when they change.

It never stops a load: an error is reported, and the next load tries again. It never drops a view
that another view reads: such a view is replaced in place, and its columns keep their types.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from dlt.destinations.exceptions import DatabaseException
from dlt.destinations.sql_client import SqlClientBase

from sync_assets.base.errors import brief
from sync_assets.sources.rest.api import Api
from sync_assets.warehouse.typed.casts import POSTGRES
from sync_assets.warehouse.typed.catalog import Catalog, digest, mark, read_catalog
from sync_assets.warehouse.typed.comments import comments
from sync_assets.warehouse.typed.in_place import blank, columns_of, grants_of, shaped
from sync_assets.warehouse.typed.table_comments import comment_on_tables
from sync_assets.warehouse.typed.view_sql import Stored, ViewSql, quoted

SUFFIX = "typed"
#: On Postgres whoever reads a view stands in the way of its replacement.
PATIENCE = "SET LOCAL lock_timeout = '2s'"

#: Marks a view whose columns are not all as they would be; it is made again once nobody reads it.
KEPT = "kept: "


@dataclass(frozen=True)
class Released:
    """A view that does not read its table any more.

    `columns` are those that it keeps, with their types, if others read it; otherwise it is
    dropped. `grants` are the rights that were granted on it.
    """

    columns: dict[str, str]
    grants: list[str]


class TypedViews:
    """The typed views of an API, over one connection to the warehouse of a dataset."""

    def __init__(
        self, api: Api, client: SqlClientBase[Any], dialect: str, say: Callable[[str], None]
    ) -> None:
        self._api, self._client, self._dialect, self._say = api, client, dialect, say
        self._of = client.dataset_name
        self.dataset = f"{self._of}_{SUFFIX}"

    def update(self, stored: Stored) -> None:
        """Make the views that are missing or differ from the declaration, in one transaction.

        An error is reported; the tables are loaded all the same.
        """
        try:
            catalog = read_catalog(self._client, self._dialect, self.dataset)
            wanted = list(self._outdated(catalog, stored))
            if wanted:
                with self._client.begin_transaction():
                    self._replace(catalog, wanted, stored)
        except DatabaseException as error:
            self._say(
                f"typed views: {self.dataset} could not be brought up to date and stays as it is; "
                f"the next sync tries again: {brief(error)}"
            )

    def describe_tables(self, stored: Stored) -> None:
        """Comment the tables' columns; an error is reported."""
        try:
            comment_on_tables(self._client, self._dialect, self._api, stored)
        except DatabaseException as error:
            self._say(f"comments on columns of {self._of} could not be written: {brief(error)}")

    @contextmanager
    def aside(self, stored: Callable[[], Stored]) -> Iterator[None]:
        """Within a transaction, let no view of ours read the tables while the block converts them.

        Afterwards the views are made again, for the columns that `stored` returns then.
        """
        catalog = read_catalog(self._client, self._dialect, self.dataset)
        released = {name: self._release(name, catalog) for name in catalog.ours(self._api)}
        yield
        if released:
            sql = self._sql(stored())
            for name, before in released.items():
                self._build(name, sql, before)

    def _sql(self, stored: Stored) -> ViewSql:
        return ViewSql(self._api, self._of, self._dialect, stored)

    def _name(self, view: str) -> str:
        return f"{quoted(self.dataset)}.{quoted(view)}"

    def _outdated(self, catalog: Catalog, stored: Stored) -> Iterator[str]:
        """Yield the views to make; report those that are not ours."""
        if catalog.foreign:
            self._say(
                f"typed views: {self.dataset} holds nothing that a sync made, so it is somebody "
                f"else's and stays as it is. Rename or empty it to have the typed views of "
                f"{self._of} there."
            )
            return
        sql = self._sql(stored)
        for table in self._api.endpoints:
            found = catalog.found.get(table)
            if not stored.get(table):
                continue
            if found is None:
                yield table
            elif found.ours:
                current = {digest(sql.signature(table))}
                if found.has_dependents:
                    current.add(digest(KEPT + sql.signature(table)))
                if found.digest not in current:
                    yield table
            else:
                self._say(
                    f"typed views: {self.dataset}.{table} is not as a sync made it, so it is "
                    "somebody else's and stays as it is. Drop it to have the typed view again."
                )

    def _replace(self, catalog: Catalog, tables: Iterable[str], stored: Stored) -> None:
        if self._dialect == POSTGRES:
            self._client.execute_sql(PATIENCE)
        if not catalog.exists:
            self._client.execute_sql(f"CREATE SCHEMA IF NOT EXISTS {quoted(self.dataset)}")
        sql = self._sql(stored)
        for table in tables:
            there = table in catalog.found
            self._build(table, sql, self._release(table, catalog) if there else None)

    def _release(self, view: str, catalog: Catalog) -> Released:
        """Let a view of ours read no table; if others read the view, it keeps its columns."""
        name = self._name(view)
        if not catalog.found[view].has_dependents:
            grants = grants_of(self._client, name) if self._dialect == POSTGRES else []
            self._client.execute_sql(f"DROP VIEW {name}")
            return Released({}, grants)
        columns = columns_of(self._client, name)
        self._client.execute_sql(f"CREATE OR REPLACE VIEW {name} AS {blank(columns)}")
        return Released(columns, [])

    def _build(self, view: str, sql: ViewSql, before: Released | None) -> None:
        """Make a view; if others read an existing one, its columns keep their types."""
        name, query, signature = self._name(view), sql.select(view), sql.signature(view)
        if before and before.columns:
            query, kept = shaped(query, sql.types(view), before.columns)
            if kept:
                signature = KEPT + signature
                self._say(
                    f"typed views: others read {self.dataset}.{view}, so of its columns these keep "
                    f"their types: {', '.join(kept)}. Drop what reads it to have the new ones."
                )
        self._client.execute_sql(f"CREATE OR REPLACE VIEW {name} AS {query}")
        for grant in before.grants if before else ():
            self._client.execute_sql(grant)
        stamp = mark(self._client, self._dialect, name, signature)
        statements = comments(sql, view, name, stamp)
        self._client.execute_sql(";\n".join(statements))
