"""Checks that a destination can do what the promises need, by what dlt declares of it."""

from __future__ import annotations

from dlt.common.destination import AnyDestination, DestinationCapabilitiesContext

from sync_assets.warehouse.errors import WarehouseError

TYPE = "DESTINATION__WAREHOUSE__DESTINATION_TYPE"
REMEDY = (
    f"Set {TYPE} to a warehouse with transactions: duckdb or postgres, which are tested, or "
    "motherduck, redshift, snowflake or another of dlt's that has them."
)


def refuse_incapable(kind: str, destination: AnyDestination) -> None:
    """Raise `WarehouseError` for a destination on which a promise cannot hold; connects to none."""
    if wants := missing(destination.capabilities()):
        raise WarehouseError(f"{kind} cannot hold the tables: {'; '.join(wants)}. {REMEDY}")


def missing(able: DestinationCapabilitiesContext) -> list[str]:
    """Return what a promise needs and dlt cannot do on a destination."""
    found = []
    if "delete-insert" not in (able.supported_merge_strategies or ()):
        found.append("the rows below one parent cannot be replaced there (delete-insert)")
    if "insert-from-staging" not in (able.supported_replace_strategies or ()):
        found.append("a whole table cannot be replaced there (insert-from-staging)")
    # dlt takes SQL with the name `created_at` for DDL, and most tables have that column
    if not able.supports_ddl_transactions:
        found.append(
            "rows are deleted and inserted without a transaction, so that readers see gaps"
        )
    if not able.sqlglot_dialect:
        found.append("dlt knows no SQL dialect in which `_syncs` could be written")
    return found
