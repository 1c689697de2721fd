"""The tables as sources of dbt: what `sync-assets dbt` writes.

A source is named as ours and holds the typed views, under the keys of our assets; where the
warehouse has no typed views it holds the tables.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import ceil
from typing import Any

import yaml

from sync_assets.planning.settings import automation
from sync_assets.sources.rest.api import Api
from sync_assets.sources.rest.declaration.endpoints import Endpoint
from sync_assets.sources.rest.declaration.typed import is_personal, typed_columns
from sync_assets.warehouse.connection.destination import open_pipeline
from sync_assets.warehouse.dataset import dataset_of
from sync_assets.warehouse.ownership import SYNCS
from sync_assets.warehouse.typed.stored import dialect_of
from sync_assets.warehouse.typed.views import SUFFIX

MARK = "# Written by `sync-assets dbt`, which replaces it: change the declaration instead.\n"
WIDTH = 120


def sources_yml(apis: Iterable[Api]) -> str:
    """The file's text; raises `SyncError` where the configuration is wrong."""
    sources = [_source(api) for api in apis]
    content = {"version": 2, "sources": sources}
    return f"{MARK}{yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=WIDTH)}"


def _source(api: Api) -> dict[str, Any]:
    dataset = dataset_of(api)
    with open_pipeline(api.name, dataset) as pipeline:
        typed = dialect_of(pipeline.destination) is not None
    return {
        "name": api.name,
        "schema": f"{dataset}_{SUFFIX}" if typed else dataset,
        "description": f"What the {api.name} API lists, kept in step by sync_assets.",
        "tables": [_table(api, endpoint, typed=typed) for endpoint in api.endpoints.values()],
    }


def _table(api: Api, endpoint: Endpoint, *, typed: bool) -> dict[str, Any]:
    columns = (
        [(one.name, one.meaning, one.personal) for one in typed_columns(endpoint, api.endpoints)]
        if typed
        else [
            (str(one["name"]), str(one.get("description", "")), is_personal(one))
            for one in endpoint.columns.values()
        ]
    )
    max_age = automation(api).max_age(partitioned=endpoint.partitioned)
    hours = {"count": ceil(max_age.total_seconds() / 3600), "period": "hour"}
    return {
        "name": endpoint.name,
        "description": f"What `GET {endpoint.path}` lists.",
        "config": {
            "freshness": {"warn_after": hours},
            "loaded_at_query": _loaded_at(dataset_of(api), endpoint.name),
        },
        **({"data_tests": tests} if (tests := list(_table_tests(endpoint))) else {}),
        "columns": [_column(api, endpoint, *column) for column in columns],
    }


def _loaded_at(dataset: str, resource: str) -> str:
    """As of when all rows are here that may still change: the clock of the oldest such list.

    Where nothing can change any more it is now.
    """
    oldest = "MIN(CAST(COALESCE(fresh_at, synced_at) AS TIMESTAMP WITH TIME ZONE))"
    lists = f"resource = '{resource}' AND synced_at IS NOT NULL AND final IS NOT TRUE"
    return f"SELECT COALESCE({oldest}, CURRENT_TIMESTAMP) FROM {dataset}.{SYNCS} WHERE {lists}"  # noqa: S608 - our names


def _table_tests(endpoint: Endpoint) -> Iterator[dict[str, Any]]:
    key = endpoint.hints["primary_key"]
    if not isinstance(key, str):
        together = " || '|' || ".join(f"CAST({name} AS VARCHAR)" for name in key)
        yield {"unique": {"arguments": {"column_name": together}}}


def _column(
    api: Api, endpoint: Endpoint, name: str, description: str, personal: bool
) -> dict[str, Any]:
    tests = list(_column_tests(api, endpoint, name))
    return {
        "name": name,
        "description": description,
        **({"config": {"tags": ["personal_data"]}} if personal else {}),
        **({"data_tests": tests} if tests else {}),
    }


def _column_tests(api: Api, endpoint: Endpoint, column: str) -> Iterator[Any]:
    key = endpoint.hints["primary_key"]
    if column == key:
        yield "unique"
    if column in ([key] if isinstance(key, str) else key):
        yield "not_null"
    if endpoint.parent and column == endpoint.parent_param:
        to = f"source('{api.name}', '{endpoint.parent}')"
        yield {"relationships": {"arguments": {"to": to, "field": endpoint.parent_field}}}
