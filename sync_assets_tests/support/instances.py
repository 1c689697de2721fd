"""Dagster instances in folders of their own, with the storage that a `dagster.yaml` names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import yaml
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.remote_origin import (
    RegisteredCodeLocationOrigin,
    RemoteInstigatorOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.scheduler.instigation import (
    InstigatorState,
    InstigatorStatus,
    SensorInstigatorData,
)

from sync_assets_tests.support.project import ROOT


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


def keep_cursor(
    instance: dg.DagsterInstance, sensor: str, cursor: str, location: str = "sync_assets"
) -> None:
    """Keep the cursor of a sensor, as the daemon does after a tick."""
    repository = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin(location), "__repository__")
    state = InstigatorState(
        RemoteInstigatorOrigin(repository, sensor),
        InstigatorType.SENSOR,
        InstigatorStatus.DECLARED_IN_CODE,
        SensorInstigatorData(cursor=cursor),
    )
    known = instance.get_instigator_state(state.instigator_origin_id, state.selector_id)
    (instance.update_instigator_state if known else instance.add_instigator_state)(state)
