"""The place of `CeleryRunLauncher` until 0.2.0, which older `dagster.yaml` files name."""

from sync_assets.lib.instance.celery_launcher import CeleryRunLauncher

__all__ = ["CeleryRunLauncher"]
