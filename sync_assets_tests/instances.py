"""Dagster instances with the storage that `dagster.yaml` names, in folders of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dagster as dg
import yaml

from sync_assets_tests.project import ROOT


def storage(base_dir: Path) -> dict[str, Any]:
    """The storage of `dagster.yaml`, elsewhere."""
    named = yaml.safe_load((ROOT / "dagster.yaml").read_text())["storage"]["custom"]
    return {"custom": {**named, "config": {"base_dir": str(base_dir)}}}


def local_instance(folder: Path) -> dg.DagsterInstance:
    """A persistent instance, to be used in a `with`."""
    overrides: Any = {"storage": storage(folder / "storage"), "telemetry": {"enabled": False}}
    return dg.DagsterInstance.local_temp(str(folder), overrides=overrides)
