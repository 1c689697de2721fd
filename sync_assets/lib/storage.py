"""The place of `KeptSqliteStorage` until 0.2.0, which older `dagster.yaml` files name."""

from sync_assets.lib.instance.sqlite_storage import KeptSqliteStorage

__all__ = ["KeptSqliteStorage"]
