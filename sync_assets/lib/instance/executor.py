"""The executor of all jobs, and the backfill policy.

A setting that cannot work is refused early: when the code location loads, or when a run starts if
it depends on the Dagster instance.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

import dagster as dg

from sync_assets.base.errors import ConfigurationError
from sync_assets.lib.instance.parents import end_with_celery_worker, end_with_dagster_dev
from sync_assets.lib.instance.run_process import noting_its_process
from sync_assets.warehouse.connection.destination import is_embedded
from sync_assets.warehouse.machines import ExecutionSettings, not_shared

CELERY_VARIABLES = ("CELERY_BROKER_URL", "CELERY_RESULT_BACKEND")


def build_executor(settings: ExecutionSettings) -> dg.ExecutorDefinition:
    """Build the executor of all jobs; it refuses a run whose instance cannot work with it.

    Each run records the process that executes it, and ends with its `dagster dev` or Celery
    worker.
    """
    chosen: Any = _executor(settings.executor)

    def create(context: dg.InitExecutorContext) -> dg.Executor:
        _refuse(settings, context.instance)
        end_with_dagster_dev()
        end_with_celery_worker()
        return noting_its_process(chosen.executor_creation_fn(context))

    return dg.ExecutorDefinition(
        name=chosen.name,
        config_schema=chosen.config_schema,
        requirements=chosen.get_requirements,
        executor_creation_fn=create,
        description=chosen.description,
    )


def backfill_policy(settings: ExecutionSettings) -> dg.BackfillPolicy:
    """Return how many partitions each run of a backfill has."""
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
    """Raise an error of Dagster's: only of these does it show the reason if an executor fails."""
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
        raise dg.DagsterInvariantViolationError(not_shared(who))
