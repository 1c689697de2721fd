"""The job that removes old runs and events from Dagster's storage, and its schedule."""

from datetime import timedelta
from typing import Annotated

import dagster as dg
from dlt.common.configuration import configspec
from dlt.common.configuration.specs import BaseConfiguration

from sync_assets.base import times
from sync_assets.base.config import at_least, resolve
from sync_assets.sources import apis

NAME = "retention"
BATCH_SIZE = 100
VARIABLE = "RETENTION__KEEP_DAYS"
TEN_YEARS = 3_650  # days
WEEKLY = "30 4 * * 0"


@configspec
class RetentionSettings(BaseConfiguration):
    """How long Dagster keeps its records."""

    keep_days: Annotated[int, at_least(0, TEN_YEARS)] = 0
    """Days for which Dagster keeps runs; 0 means for ever. `deploy/` sets 30."""


class RetentionConfig(dg.Config):
    """The config of the job. A `dry_run` only reports; `keep_days` replaces the setting."""

    dry_run: bool = True
    keep_days: int = 30


def our_assets() -> list[dg.AssetKey]:
    """Return the assets of this code location; others may share the instance."""
    return [dg.AssetKey([api.name, name]) for api in apis().values() for name in api.endpoints]


def keep_days() -> int:
    """Return the configured days; raise `ConfigurationError` if there are none."""
    return resolve(RetentionSettings(), [NAME], {}).keep_days


def build_retention_definitions() -> dg.Definitions:
    """Build the job `retention` and the schedule `retention_weekly`."""
    job = _job()
    return dg.Definitions(jobs=[job], schedules=[_schedule(job)])


def _job() -> dg.JobDefinition:

    @dg.op(name="remove_old_runs")
    def remove(context: dg.OpExecutionContext, config: RetentionConfig) -> None:
        # SQLAlchemy takes half a second to import, which the code location need not wait for
        from sync_assets.lib.retention.old_events import count_old_events, delete_old_events
        from sync_assets.lib.retention.old_runs import delete_runs, needed_runs, old_runs

        if config.keep_days < 1:
            raise dg.Failure("keep_days must be at least 1")
        before = times.now() - timedelta(days=config.keep_days)
        old, needed = old_runs(context.instance, before, context.run), needed_runs(context.instance)
        going = [run_id for run_id in old if run_id not in needed]
        context.log.info(
            f"{len(old)} runs ended more than {config.keep_days} days ago; {len(old) - len(going)} "
            "of them hold the newest materialization or evaluation of something and stay"
        )
        events = count_old_events(context.instance, before, our_assets())
        what = f"{len(going)} runs, and {events} events of no run,"
        if config.dry_run:
            context.log.info(f"{what} would be removed; run again with dry_run: false")
            return
        for first in range(0, len(going), BATCH_SIZE):
            delete_runs(context.instance, going[first : first + BATCH_SIZE])
        delete_old_events(context.instance, before, our_assets())
        context.log.info(f"{what} are removed")

    @dg.job(
        name=NAME,
        description="Removes old runs from Dagster's storage, but for what is the newest of"
        " something; begins with a dry run.",
    )
    def retention() -> None:
        remove()

    return retention


def _schedule(job: dg.JobDefinition) -> dg.ScheduleDefinition:
    on, off = dg.DefaultScheduleStatus.RUNNING, dg.DefaultScheduleStatus.STOPPED

    @dg.schedule(
        name=f"{NAME}_weekly",
        job=job,
        cron_schedule=WEEKLY,
        default_status=on if keep_days() else off,
        description=f"Removes the runs that are older than {VARIABLE} says.",
    )
    def weekly() -> dg.RunRequest | dg.SkipReason:
        if not (days := keep_days()):
            return dg.SkipReason(f"{VARIABLE} is not set: every run is kept")
        config = RetentionConfig(dry_run=False, keep_days=days)
        return dg.RunRequest(run_config=dg.RunConfig({"remove_old_runs": config}))

    return weekly
