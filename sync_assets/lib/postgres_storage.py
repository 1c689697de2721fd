"""The place of `KeptPostgresStorage` until 0.2.0: a `dagster.yaml` of before still names it."""

from sync_assets.lib.instance.postgres_storage import KeptPostgresStorage

__all__ = ["KeptPostgresStorage"]
