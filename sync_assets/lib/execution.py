"""How runs are executed: ordinary dlt configuration under `EXECUTION__*`.

What cannot work is refused before it does harm: at the load of the code location what the
environment tells, at the start of a run what only its Dagster instance tells.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

import dagster as dg
from dlt.common.configuration import configspec
from dlt.common.configuration.specs import BaseConfiguration

from sync_assets.sources.rest.errors import ConfigurationError
from sync_assets.sources.rest.settings import resolve
from sync_assets.warehouse.destination import is_embedded

EXECUTORS = ("in_process", "multiprocess", "celery")
MACHINES = ("one", "many")
CELERY_VARIABLES = ("CELERY_BROKER_URL", "CELERY_RESULT_BACKEND")
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
            raise ConfigurationError(_not_shared(f"{variable} lets"))
    return settings


def build_executor(settings: ExecutionSettings) -> dg.ExecutorDefinition:
    """The executor of all jobs; it refuses a run whose instance cannot work with it."""
    chosen: Any = _executor(settings.executor)

    def create(context: dg.InitExecutorContext) -> dg.Executor:
        _refuse(settings, context.instance)
        executor: dg.Executor = chosen.executor_creation_fn(context)
        return executor

    return dg.ExecutorDefinition(
        name=chosen.name,
        config_schema=chosen.config_schema,
        requirements=chosen.get_requirements,
        executor_creation_fn=create,
        description=chosen.description,
    )


def backfill_policy(settings: ExecutionSettings) -> dg.BackfillPolicy:
    """Into which runs a backfill is cut."""
    most = settings.partitions_per_run
    return dg.BackfillPolicy.multi_run(most) if most else dg.BackfillPolicy.single_run()


def _executor(name: str) -> dg.ExecutorDefinition:
    if name == "multiprocess":
        return dg.multiprocess_executor
    if name == "in_process":
        return dg.in_process_executor
    for variable in CELERY_VARIABLES:
        if not os.environ.get(variable):
            raise ConfigurationError(
                f"{variable} is not set, which EXECUTION__EXECUTOR=celery needs. Set it, for "
                "instance to redis://localhost:6379/0, here and for each worker."
            )
    try:
        found: dg.ExecutorDefinition = import_module("dagster_celery").celery_executor
    except ImportError as error:
        raise ConfigurationError(
            "EXECUTION__EXECUTOR=celery needs packages that are not installed: install "
            "sync-assets[cluster]."
        ) from error
    return found


def _refuse(settings: ExecutionSettings, instance: dg.DagsterInstance) -> None:
    """Dagster tells the reason of its own errors only, where an executor cannot be made."""
    launcher = instance.run_launcher
    names = {base.__name__ for base in type(launcher).__mro__}
    if "CeleryRunLauncher" in names and settings.executor != "in_process":
        raise dg.DagsterInvariantViolationError(
            f"Under the CeleryRunLauncher EXECUTION__EXECUTOR={settings.executor} cannot work: a "
            "Celery worker may neither start processes nor wait for other workers. Set "
            "EXECUTION__EXECUTOR=in_process; EXECUTION__PARTITIONS_PER_RUN splits the work."
        )
    at_home = instance.is_ephemeral or isinstance(launcher, dg.DefaultRunLauncher)
    if not at_home and is_embedded():
        who = f"The {type(launcher).__name__} of dagster.yaml lets"
        raise dg.DagsterInvariantViolationError(_not_shared(who))


def _not_shared(who: str) -> str:
    return (
        f"{who} more than one machine write, and the warehouse is a DuckDB file, which only "
        f"processes of one machine can share. {REMEDY}"
    )
