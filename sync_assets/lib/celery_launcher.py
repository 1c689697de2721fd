"""The place of `CeleryRunLauncher` until 0.2.0: a `dagster.yaml` of before still names it."""

from sync_assets.lib.instance.celery_launcher import CeleryRunLauncher

__all__ = ["CeleryRunLauncher"]
