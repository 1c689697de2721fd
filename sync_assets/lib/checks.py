"""The op that runs an API's asset checks: one look at the warehouse for all that are selected."""

from collections.abc import Iterator, Sequence

import dagster as dg

from sync_assets.lib.checklist import CHECKS, CHILD_CHECKS, Evidence
from sync_assets.lib.freshness import judge
from sync_assets.lib.settings import AutomationSettings
from sync_assets.lib.specs import asset_key
from sync_assets.sources.rest import times
from sync_assets.sources.rest.api import Api
from sync_assets.warehouse.look import facts, state


def build_checks(
    api: Api, resources: Sequence[str], name: str, settings: AutomationSettings
) -> dg.AssetChecksDefinition:
    """The checks of some resources, run after each materialization of theirs."""
    known = CHECKS | CHILD_CHECKS
    specs = [
        dg.AssetCheckSpec(check, asset=asset_key(api, resource), description=known[check].__doc__)
        for resource in resources
        for check in [*CHECKS, *(CHILD_CHECKS if api.endpoints[resource].parent else ())]
    ]

    @dg.multi_asset_check(name=f"{name}_checks", specs=specs, can_subset=True)
    def checks(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        selected = sorted(context.selected_asset_check_keys)
        found = facts(api, {key.asset_key.path[-1] for key in selected})
        now_known = state(api)
        verdicts = list(judge(api, now_known, settings, times.now()))
        for key in selected:
            resource = key.asset_key.path[-1]
            evidence = Evidence(
                found[resource],
                [past for past in now_known.pasts.values() if past.resource == resource],
                [verdict for verdict in verdicts if verdict.resource == resource],
                settings,
            )
            yield known[key.name](evidence).result(key)

    return checks
