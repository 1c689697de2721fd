"""Checks the rights of a Postgres role before the first request."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import dlt
from dlt.destinations.sql_client import SqlClientBase

from sync_assets.warehouse.connection.destination import whereabouts
from sync_assets.warehouse.connection.postgres import is_postgres
from sync_assets.warehouse.connection.unreachable import unreachable
from sync_assets.warehouse.errors import WarehouseError
from sync_assets.warehouse.ownership import BOOKS

SERVER = """
SELECT current_user, current_database(), pg_is_in_recovery(),
       current_setting('transaction_read_only') = 'on',
       has_database_privilege(current_database(), 'CREATE')
"""
SCHEMA = """
SELECT has_schema_privilege(oid, 'USAGE'), has_schema_privilege(oid, 'CREATE')
FROM pg_namespace WHERE nspname = %s
"""
TABLES = """
SELECT relname, has_table_privilege(c.oid, 'SELECT'), has_table_privilege(c.oid, 'INSERT'),
       has_table_privilege(c.oid, 'DELETE')
FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
WHERE nspname = %s AND relkind IN ('r', 'p') ORDER BY relname
"""
ON_SCHEMA = ("USAGE", "CREATE")
ON_TABLE = ("SELECT", "INSERT", "DELETE")


@contextmanager
def explained_by_rights(pipeline: dlt.Pipeline, tables: Iterable[str]) -> Iterator[None]:
    """Explain an error of a missing right by naming all that are missing."""
    try:
        yield
    except WarehouseError:
        refuse_without_rights(pipeline, tables)
        raise


def refuse_without_rights(pipeline: dlt.Pipeline, tables: Iterable[str]) -> None:
    """Raise `WarehouseError` with the GRANTs that are missing for a load into some tables.

    The project's own tables, such as `_syncs`, are always included. A load makes a staging schema
    of its own, so it needs CREATE on the database. Only Postgres is asked; other servers report a
    missing right when they load.
    """
    if not is_postgres(pipeline.destination):
        return
    where = whereabouts(pipeline)
    try:
        with pipeline.sql_client() as client:
            ((role, database, standby, read_only, may_create),) = client.execute_sql(SERVER) or ()
            lacking = [] if may_create else [f"CREATE ON DATABASE {_quoted(client, database)}"]
            lacking += [*_of_schema(client), *_of_tables(client, set(tables))]
            to = _quoted(client, role)
    except Exception as error:  # noqa: BLE001 - the driver's
        raise unreachable(error, where) from None
    if standby or read_only:
        raise WarehouseError(
            f"{where} takes no rows: {'it is a standby' if standby else 'it is read-only'}. Let "
            "DESTINATION__WAREHOUSE__CREDENTIALS name a server, or a role, that may write."
        )
    if lacking:
        grants = "".join(f"\n  GRANT {right} TO {to};" for right in lacking)
        raise WarehouseError(
            f"{where}: the role {role} lacks rights that a sync needs. Let the owner of the "
            f"database type:{grants}"
        )


def _of_schema(client: SqlClientBase[Any]) -> Iterator[str]:
    for has in client.execute_sql(SCHEMA, client.dataset_name) or ():
        rights = [right for right, given in zip(ON_SCHEMA, has, strict=True) if not given]
        if rights:
            yield f"{', '.join(rights)} ON SCHEMA {_quoted(client, client.dataset_name)}"


def _of_tables(client: SqlClientBase[Any], wanted: set[str]) -> Iterator[str]:
    """Return one statement for all tables that lack the same rights."""
    found: dict[str, list[str]] = {}
    for name, *has in client.execute_sql(TABLES, client.dataset_name) or ():
        rights = [right for right, given in zip(ON_TABLE, has, strict=True) if not given]
        if rights and (name in wanted or name in BOOKS or name.startswith("_dlt_")):
            table = f"{_quoted(client, client.dataset_name)}.{_quoted(client, name)}"
            found.setdefault(", ".join(rights), []).append(table)
    for rights_text, names in found.items():
        yield f"{rights_text} ON {', '.join(names)}"


def _quoted(client: SqlClientBase[Any], name: str) -> str:
    return client.escape_column_name(name, casefold=False)
