"""The settings `EXECUTION__*`: who executes a sync, and on how many machines.

A warehouse that is a file is refused if processes of more than one machine would write it.
"""

from __future__ import annotations

from typing import Annotated

from dlt.common.configuration import configspec
from dlt.common.configuration.specs import BaseConfiguration

from sync_assets.base.config import at_least, one_of, resolve
from sync_assets.base.errors import ConfigurationError
from sync_assets.warehouse.connection.destination import configured_kind, is_embedded

EXECUTORS = ("in_process", "multiprocess", "celery")
MACHINES = ("one", "many")
REMEDY = (
    "Set DESTINATION__WAREHOUSE__DESTINATION_TYPE=postgres (or another server, motherduck for "
    "instance) and DESTINATION__WAREHOUSE__CREDENTIALS to its URL."
)


@configspec
class ExecutionSettings(BaseConfiguration):
    """Who executes a run, and when a sync loads."""

    executor: Annotated[str, one_of(EXECUTORS)] = "in_process"
    """Who executes the steps of a run."""
    partitions_per_run: Annotated[int, at_least(0)] = 0
    """Partitions in each run of backfills, sensors and schedules. 0: all in one."""
    machines: Annotated[str, one_of(MACHINES)] = "one"
    """`many`: more than one machine writes, so a DuckDB file is refused."""
    commit_every: Annotated[float, at_least(1)] = 60.0
    """Seconds after which complete lists are loaded while others are still read."""


def execution() -> ExecutionSettings:
    """Return the settings; raise `ConfigurationError` if one is wrong or endangers the file."""
    settings = resolve(ExecutionSettings(), ["execution"], {})
    for variable in ("EXECUTION__MACHINES=many", "EXECUTION__EXECUTOR=celery"):
        name, _, word = variable.removeprefix("EXECUTION__").lower().partition("=")
        if getattr(settings, name) == word and is_embedded():
            raise ConfigurationError(not_shared(f"{variable} lets"))
    return settings


def not_shared(who: str) -> str:
    """Return why a DuckDB file is refused for more than one machine, and the remedy."""
    return (
        f"{who} more than one machine write, and the warehouse is {configured_kind()}, a file that "
        f"only processes of one machine can share. {REMEDY}"
    )
