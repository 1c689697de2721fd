"""How long Dagster remembers: for ever, or as many days as `RETENTION__KEEP_DAYS` says."""

from sync_assets.lib.retention.job import build_retention_definitions

defs = build_retention_definitions()
