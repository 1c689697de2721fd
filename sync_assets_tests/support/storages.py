"""Each storage that Dagster's records may be in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg

from sync_assets_tests.support.instances import dagsters_sqlite, instance_on, local_instance, named
from sync_assets_tests.support.postgres import SERVER, own_database


@contextmanager
def cluster_instance(folder: Path) -> Iterator[dg.DagsterInstance]:
    """An instance with the storage that a cluster's `dagster.yaml` names, on a new database."""
    with own_database() as name:
        storage = named("deploy/dagster.yaml", postgres_url=f"{SERVER}/{name}")
        with instance_on(folder, storage) as instance:
            yield instance


@contextmanager
def dagsters_postgres(folder: Path) -> Iterator[dg.DagsterInstance]:
    """An instance with Dagster's own storage on Postgres, on a new database."""
    with own_database() as name:
        url = f"{SERVER}/{name}"
        with instance_on(folder, {"postgres": {"postgres_url": url}}) as instance:
            yield instance


STORAGES: dict[str, Callable[[Path], Any]] = {
    "SQLite, Dagster's own class": dagsters_sqlite,
    "SQLite, as `dagster.yaml` has it": local_instance,
    "Postgres, Dagster's own class": dagsters_postgres,
    "Postgres, as `deploy/dagster.yaml` has it": cluster_instance,
}
