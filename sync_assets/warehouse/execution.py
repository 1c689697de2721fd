"""Who executes a sync, and on how many machines: ordinary dlt configuration under `EXECUTION__*`.

A warehouse that is a file is refused where processes of more than one machine would write it.
"""

from __future__ import annotations

from dlt.common.configuration import configspec
from dlt.common.configuration.specs import BaseConfiguration

from sync_assets.sources.rest.errors import ConfigurationError
from sync_assets.sources.rest.settings import resolve
from sync_assets.warehouse.destination import configured_kind, is_embedded

EXECUTORS = ("in_process", "multiprocess", "celery")
MACHINES = ("one", "many")
REMEDY = (
    "Set DESTINATION__WAREHOUSE__DESTINATION_TYPE=postgres (or another server, motherduck for "
    "instance) and DESTINATION__WAREHOUSE__CREDENTIALS to its URL."
)


@configspec
class ExecutionSettings(BaseConfiguration):
    """The executor of each run, partitions a run (0: all in one), and how many machines write."""

    executor: str = "in_process"
    partitions_per_run: int = 0
    machines: str = "one"


def execution() -> ExecutionSettings:
    """The settings; `ConfigurationError` where one is wrong or would tear the warehouse."""
    settings = resolve(ExecutionSettings(), ["execution"], {})
    for name, words in (("executor", EXECUTORS), ("machines", MACHINES)):
        word = getattr(settings, name)
        if word not in words:
            raise ConfigurationError(
                f"EXECUTION__{name.upper()} must be one of {', '.join(words)}, not {word!r}."
            )
    if settings.partitions_per_run < 0:
        raise ConfigurationError("EXECUTION__PARTITIONS_PER_RUN must be at least 0.")
    for variable in ("EXECUTION__MACHINES=many", "EXECUTION__EXECUTOR=celery"):
        name, _, word = variable.removeprefix("EXECUTION__").lower().partition("=")
        if getattr(settings, name) == word and is_embedded():
            raise ConfigurationError(not_shared(f"{variable} lets"))
    return settings


def not_shared(who: str) -> str:
    """Why somebody who lets more than one machine write is refused, and what to do."""
    return (
        f"{who} more than one machine write, and the warehouse is {configured_kind()}, a file that "
        f"only processes of one machine can share. {REMEDY}"
    )
