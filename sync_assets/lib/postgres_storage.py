"""The place of `KeptPostgresStorage` until 0.2.0, which older `dagster.yaml` files name."""

from sync_assets.lib.instance.postgres_storage import KeptPostgresStorage

__all__ = ["KeptPostgresStorage"]
