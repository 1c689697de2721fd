"""What Dagster does with this project: parents, the sensor, all partitions in one run."""

from __future__ import annotations

from pathlib import Path

from sync_assets_tests.support.dagster_world import PARTITIONED, DagsterRuns
from sync_assets_tests.support.instances import local_instance


def run(base_url: str, token: str, database: Path) -> None:
    """Materialize the account, on an instance on SQLite; the environment says from where."""
    with local_instance(database.parent) as instance:
        runs = DagsterRuns(instance)
        runs.first_sync()
        keys = set(instance.get_dynamic_partitions("promotions"))
        source, children = PARTITIONED["promotions"]
        for child in children:
            assert runs.materialized(f"{source}/{child}") == keys, child
