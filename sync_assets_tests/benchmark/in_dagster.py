"""What Dagster does with this project: parents, the sensor, all partitions in one run."""

from __future__ import annotations

from pathlib import Path

import dagster as dg

from sync_assets_tests.dagster_world import PARTITIONED, DagsterRuns

QUIET = {"telemetry": {"enabled": False}}


def run(base_url: str, token: str, database: Path) -> None:
    """Materialize the account, on an instance on SQLite; the environment says from where."""
    with dg.DagsterInstance.local_temp(str(database.parent), overrides=QUIET) as instance:
        runs = DagsterRuns(instance)
        runs.first_sync()
        keys = set(instance.get_dynamic_partitions("promotions"))
        source, children = PARTITIONED["promotions"]
        for child in children:
            assert runs.materialized(f"{source}/{child}") == keys, child
