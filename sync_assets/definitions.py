"""The code location: gathers what `defs` defines, and executes it as the environment says."""

from pathlib import Path

import dagster as dg

from sync_assets.lib.instance.executor import build_executor
from sync_assets.warehouse.machines import execution


@dg.definitions
def defs() -> dg.Definitions:
    """All assets, sensors and schedules."""
    executor = build_executor(execution())
    found = dg.load_from_defs_folder(path_within_project=Path(__file__).parent)
    return dg.Definitions.merge(found, dg.Definitions(executor=executor))
