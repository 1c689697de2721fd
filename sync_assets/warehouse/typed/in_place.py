"""Postgres: replaces a view that others read, whose columns cannot change their types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dlt.destinations.sql_client import SqlClientBase

from sync_assets.warehouse.typed.casts import FROM_TEXT, TYPES
from sync_assets.warehouse.typed.view_sql import quoted

COLUMNS = """
SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute
WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped ORDER BY attnum
"""
GRANTS = """
SELECT format('GRANT %%s ON %%s TO %%s', a.privilege_type, c.oid::regclass,
              CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END)
FROM pg_class c, aclexplode(c.relacl) a WHERE c.oid = to_regclass(%s) AND a.grantee <> c.relowner
"""
#: Our kinds as Postgres names their types.
NAMES = {
    "character varying": "text",
    "text": "text",
    "bigint": "bigint",
    "double precision": "double",
    "boolean": "bool",
    "timestamp without time zone": "timestamp",
    "date": "date",
    "numeric(23,4)": "decimal",
    TYPES["json"].lower(): "json",
}


def columns_of(client: SqlClientBase[Any], view: str) -> dict[str, str]:
    """Return the columns of a view, with their types as Postgres writes them."""
    return {str(name): str(kind) for name, kind in client.execute_sql(COLUMNS, view) or ()}


def grants_of(client: SqlClientBase[Any], view: str) -> list[str]:
    """Return the statements that grant the rights on a view again."""
    return [str(grant) for (grant,) in client.execute_sql(GRANTS, view) or ()]


def blank(columns: Mapping[str, str]) -> str:
    """Return a query with these columns that reads no table."""
    nulls = (f"CAST(NULL AS {kind}) AS {quoted(name)}" for name, kind in columns.items())
    return f"SELECT {', '.join(nulls)}"


def shaped(
    query: str, kinds: Mapping[str, str], columns: Mapping[str, str]
) -> tuple[str, list[str]]:
    """Return a query that begins with the given columns, and those of them with an outdated type.

    A value that such a column cannot hold is null in it.
    """
    kept, shown = [], []
    for name, kind in columns.items():
        value, wanted, had = f"v.{quoted(name)}", kinds.get(name), NAMES.get(kind, kind)
        if wanted != had:
            kept.append(name)
            cast = FROM_TEXT.get(had)
            value = cast(f"CAST({value} AS TEXT)") if wanted and cast else f"CAST(NULL AS {kind})"
        shown.append(f"CAST({value} AS {kind}) AS {quoted(name)}")
    shown += [f"v.{quoted(name)}" for name in kinds if name not in columns]
    return f"SELECT {', '.join(shown)} FROM ({query}) AS v", kept
