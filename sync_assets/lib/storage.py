"""The place of `KeptSqliteStorage` until 0.2.0: a `dagster.yaml` of before still names it."""

from sync_assets.lib.instance.sqlite_storage import KeptSqliteStorage

__all__ = ["KeptSqliteStorage"]
