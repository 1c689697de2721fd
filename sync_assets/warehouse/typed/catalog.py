"""Finds what the dataset of the typed views holds, and which of these views are ours.

The mark of a view is its comment, which is dropped with the view. It ends in a digest of the query
that we wrote. On Postgres a comment stays when somebody replaces the view's query. So there the
mark also has a digest of the query as the server stores it, and another query is not ours.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from dlt.destinations.sql_client import SqlClientBase

from sync_assets.sources.rest.api import Api
from sync_assets.warehouse.typed.casts import POSTGRES

MARK = re.compile(r"\(sync_assets view ([0-9a-f]{12})(?: as ([0-9a-f]{32}))?\)\Z")
OF_DUCKDB = """
SELECT table_name, NULL, FALSE, NULL FROM duckdb_tables()
WHERE database_name = current_database() AND schema_name = %s
UNION ALL
SELECT view_name, comment, FALSE, NULL FROM duckdb_views()
WHERE database_name = current_database() AND schema_name = %s
"""
#: A view has dependents where another view, or whatever has rules, reads it.
OF_POSTGRES = """
SELECT c.relname, obj_description(c.oid, 'pg_class'),
       EXISTS (SELECT FROM pg_depend d LEFT JOIN pg_rewrite r
               ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
               WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid
               AND d.deptype = 'n' AND r.ev_class IS DISTINCT FROM c.oid),
       CASE WHEN c.relkind = 'v' THEN md5(pg_get_viewdef(c.oid)) END
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relkind IN ('r', 'v', 'm', 'p', 'f')
"""
SCHEMA = {
    "duckdb": "SELECT 1 FROM duckdb_schemas() WHERE database_name = current_database()"
    " AND schema_name = %s",
    POSTGRES: "SELECT 1 FROM pg_namespace WHERE nspname = %s",
}


@dataclass(frozen=True)
class Found:
    """A relation of the dataset: whether it is our view, of which query, and if others read it."""

    ours: bool
    digest: str = ""
    has_dependents: bool = False


@dataclass(frozen=True)
class Catalog:
    """The relations of a dataset, by name."""

    exists: bool
    found: dict[str, Found] = field(default_factory=dict)

    @property
    def foreign(self) -> bool:
        """Whether somebody else made the dataset: it holds something, but nothing of ours."""
        return bool(self.found) and not any(one.ours for one in self.found.values())

    def ours(self, api: Api) -> list[str]:
        """Return the views of an API's tables that a sync made."""
        return [name for name, one in self.found.items() if one.ours and name in api.endpoints]


def read_catalog(client: SqlClientBase[Any], dialect: str, dataset: str) -> Catalog:
    """Return what a dataset holds now."""
    if dialect == POSTGRES:
        rows = client.execute_sql(OF_POSTGRES, dataset) or ()
    else:
        rows = client.execute_sql(OF_DUCKDB, dataset, dataset) or ()
    found = {str(name): _found(*facts) for name, *facts in rows}
    exists = bool(found) or bool(client.execute_sql(SCHEMA[dialect], dataset))
    return Catalog(exists, found)


def _found(comment: str | None, has_dependents: bool, definition: str | None) -> Found:
    mark = MARK.search(comment or "")
    if mark is None or (definition and mark[2] != definition):
        return Found(ours=False)
    return Found(True, mark[1], bool(has_dependents))


def digest(query: str) -> str:
    """Return a digest of a query that we wrote."""
    return sha256(query.encode()).hexdigest()[:12]


def mark(client: SqlClientBase[Any], dialect: str, view: str, query: str) -> str:
    """Return the mark of a view that was just made from a query."""
    if dialect != POSTGRES:
        return f"(sync_assets view {digest(query)})"
    rows = client.execute_sql("SELECT md5(pg_get_viewdef(to_regclass(%s)))", view) or ()
    return f"(sync_assets view {digest(query)} as {rows[0][0]})"
