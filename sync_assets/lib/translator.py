"""What Dagster shows of a resource: key, lineage, description, table and columns."""

from __future__ import annotations

import inspect
import warnings
from pathlib import Path
from typing import Any

import dagster as dg
import dlt
from dagster_dlt import DagsterDltTranslator
from dagster_dlt.translator import DltResourceTranslatorData

from sync_assets.planning.settings import AutomationSettings
from sync_assets.sources.rest.api import Api
from sync_assets.sources.rest.declaration.endpoints import Endpoint
from sync_assets.sources.rest.declaration.typed import is_personal
from sync_assets.warehouse.dataset import dataset_of

#: Where the project is a checkout, as on a laptop; a package has no documents.
RUNBOOK = Path(__file__).parents[2] / "docs" / "operations.md"


class ResourceTranslator(DagsterDltTranslator):
    """Translates the resources of an API; asset keys are `[source, resource]`, as dataset.table."""

    def __init__(self, api: Api, settings: AutomationSettings) -> None:
        self.api, self.settings = api, settings

    def get_asset_spec(self, data: DltResourceTranslatorData) -> dg.AssetSpec:
        """Return the spec of a resource; its upstream is its parent, not dagster-dlt's default."""
        endpoint = self.api.endpoints[data.resource.name]
        destination: str | None = dlt.config.get("destination.warehouse.destination_type")
        spec = super().get_asset_spec(data)
        return spec.replace_attributes(
            key=asset_key(self.api, endpoint.name),
            deps=[asset_key(self.api, endpoint.parent)] if endpoint.parent else [],
            group_name=self.api.name,
            freshness_policy=dg.FreshnessPolicy.time_window(
                fail_window=self.settings.max_age(partitioned=endpoint.partitioned)
            ),
            description=describe(self.api, endpoint),
            kinds={"dlt", *([str(destination)] if destination else [])},
            owners=self.settings.owners.split(),
            metadata={
                **({"documentation": dg.MetadataValue.path(RUNBOOK)} if RUNBOOK.exists() else {}),
                "dagster/table_name": f"{dataset_of(self.api)}.{endpoint.name}",
                "dagster/column_schema": column_schema(endpoint),
                "dagster/code_references": code_references(self.api),
            },
        )


def asset_key(api: Api, resource: str) -> dg.AssetKey:
    """Return the asset key of a resource."""
    return dg.AssetKey([api.name, resource])


def describe(api: Api, endpoint: Endpoint) -> str:
    """Describe a resource: its endpoint, what a sync replaces, and its key."""
    primary = endpoint.hints["primary_key"]
    key = primary if isinstance(primary, str) else ", ".join(primary)
    below = "its partitions" if endpoint.partitioned else f"each of {endpoint.parent}"
    scope = f"the rows of {below}" if endpoint.parent else "all rows, at once"
    return (
        f"What `GET {endpoint.path}` of the {api.name} API lists. "
        f"A sync replaces {scope}. Primary key: {key}."
    )


def code_references(api: Api) -> dg.CodeReferencesMetadataValue:
    """Return where the endpoints of an API are declared."""
    file = str(inspect.getsourcefile(api.config))
    line = inspect.getsourcelines(api.config)[1]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)  # nobody who runs this can act on it
        reference = dg.LocalFileCodeReference(file_path=file, line_number=line)
        return dg.CodeReferencesMetadataValue(code_references=[reference])


def column_schema(endpoint: Endpoint) -> dg.TableSchema:
    """Return the declared columns; undeclared fields are added as text when they appear."""
    primary: Any = endpoint.hints["primary_key"]
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                str(column["name"]),
                str(column["data_type"]),
                description=column.get("description"),
                tags={"personal_data": ""} if is_personal(column) else {},
                constraints=dg.TableColumnConstraints(
                    nullable=bool(column.get("nullable", True)), unique=column["name"] == primary
                ),
            )
            for column in endpoint.columns.values()
        ]
    )
