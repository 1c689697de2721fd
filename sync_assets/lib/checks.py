"""Asset checks: what must hold of an asset, told with numbers."""

from collections.abc import Iterator, Sequence

import dagster as dg

from sync_assets.lib.specs import asset_key
from sync_assets.sources.rest.api import Api
from sync_assets.warehouse.look import quarantined

DECLARED = "records_as_declared"
SAMPLES = 5


def build_declared_check(api: Api, resources: Sequence[str], name: str) -> dg.AssetChecksDefinition:
    """Each asset's records are as declared; those that are not wait in the table `_quarantine`."""
    specs = [
        dg.AssetCheckSpec(
            DECLARED,
            asset=asset_key(api, resource),
            description="No record of the last syncs is in quarantine.",
        )
        for resource in resources
    ]

    @dg.multi_asset_check(name=f"{name}_checks", specs=specs, can_subset=True)
    def declared(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        found = quarantined(api)
        for key in context.selected_asset_check_keys:
            reasons = found.get(key.asset_key.path[-1], [])
            yield dg.AssetCheckResult(
                passed=not reasons,
                check_name=key.name,
                asset_key=key.asset_key,
                severity=dg.AssetCheckSeverity.WARN,
                metadata={"quarantined": len(reasons), "reasons": reasons[:SAMPLES]},
            )

    return declared
