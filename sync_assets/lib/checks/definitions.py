"""The op that runs the selected asset checks of an API with one read of the warehouse."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timezone

import dagster as dg

from sync_assets.base import times
from sync_assets.lib.checks.catalog import CHECKS, CHILD_CHECKS, SOURCE_CHECKS, Check
from sync_assets.lib.checks.findings import Evidence, Finding
from sync_assets.lib.checks.plan import PLAN_FITS, carrier
from sync_assets.lib.translator import asset_key
from sync_assets.planning.forecast import forecast
from sync_assets.planning.freshness import evaluate_freshness
from sync_assets.planning.settings import AutomationSettings
from sync_assets.sources.rest.api import Api
from sync_assets.warehouse.connection.lock import silent
from sync_assets.warehouse.queries import table_stats
from sync_assets.warehouse.state.lives import unread


def build_checks(
    api: Api, resources: Sequence[str], op: str, settings: AutomationSettings
) -> dg.AssetChecksDefinition:
    """Build the checks of some resources; they run after each materialization of these."""
    specs = [
        dg.AssetCheckSpec(name, asset=asset_key(api, resource), description=check.__doc__)
        for resource in resources
        for name, check in checks_of(api, resource).items()
    ]

    @dg.multi_asset_check(name=f"{op}_checks", specs=specs, can_subset=True)
    def checks(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        selected = sorted(context.selected_asset_check_keys)
        names = {key.asset_key.path[-1] for key in selected}
        found = findings(
            api, names, settings, beginning(context.instance, context.run.run_id), context.log.info
        )
        for key in selected:
            yield found[key].result(key)
            if key.name == PLAN_FITS:  # of checks Dagster plots nothing
                plotted = dg.AssetObservation(key.asset_key, metadata=found[key].numbers)
                context.op_execution_context.log_event(plotted)

    return checks


def findings(
    api: Api,
    resources: Iterable[str],
    settings: AutomationSettings,
    began: datetime,
    say: Callable[[str], None] = silent,
) -> dict[dg.AssetCheckKey, Finding]:
    """Return what all checks of some resources find now, in a run that began at `began`.

    `say` gets a line if the warehouse has to be waited for.
    """
    stats, known = table_stats(api, resources, say)
    now = times.now()
    freshness = list(evaluate_freshness(api, known, settings, now))
    unread_dates = {
        parent.resource: unread(parent, known.parents[parent.resource]) for parent in api.parents
    }
    found = {}
    for resource in stats:
        evidence = Evidence(
            stats[resource],
            [history for history in known.histories.values() if history.resource == resource],
            [one for one in freshness if one.resource == resource],
            settings,
            frozenset(api.endpoints[resource].columns),
            unread_dates.get(resource, frozenset()),
            began,
            now,
            forecast(api, known, settings, freshness) if resource == carrier(api) else None,
        )
        for name, check in checks_of(api, resource).items():
            found[dg.AssetCheckKey(asset_key(api, resource), name)] = check(evidence)
    return found


def beginning(instance: dg.DagsterInstance, run_id: str) -> datetime:
    """Return when a run began; `FOREVER` if Dagster's clock differs from that of the syncs."""
    record = instance.get_run_record_by_id(run_id)
    started = record.start_time if record else None
    away = abs(times.now().timestamp() - time.time())
    if started is None or away > times.SKEW.total_seconds():
        return times.FOREVER
    return datetime.fromtimestamp(started, timezone.utc)


def checks_of(api: Api, resource: str) -> dict[str, Check]:
    """Return the checks of a resource by name."""
    below = CHILD_CHECKS if api.endpoints[resource].parent else {}
    return CHECKS | below | (SOURCE_CHECKS if resource == carrier(api) else {})
