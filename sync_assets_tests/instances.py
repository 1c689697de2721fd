"""Dagster instances in folders of their own, with the storage that a `dagster.yaml` names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import yaml

from sync_assets_tests.project import ROOT


def local_instance(folder: Path) -> dg.DagsterInstance:
    """A persistent instance with the storage that `dagster.yaml` names, to be used in a `with`."""
    return instance_on(folder, named("dagster.yaml", base_dir=str(folder / "storage")))


@contextmanager
def dagsters_sqlite(folder: Path) -> Iterator[dg.DagsterInstance]:
    """An instance with Dagster's own storage on SQLite; the files of `local_instance`."""
    with instance_on(folder, {"sqlite": {"base_dir": str(folder / "storage")}}) as instance:
        yield instance


def named(file: str, **config: str) -> dict[str, Any]:
    """The storage that a `dagster.yaml` names, with another configuration."""
    storage = yaml.safe_load((ROOT / file).read_text())["storage"]["custom"]
    return {"custom": {**storage, "config": config}}


def instance_on(folder: Path, storage: dict[str, Any]) -> dg.DagsterInstance:
    """A persistent instance on a storage."""
    overrides: Any = {"storage": storage, "telemetry": {"enabled": False}}
    return dg.DagsterInstance.local_temp(str(folder), overrides=overrides)
