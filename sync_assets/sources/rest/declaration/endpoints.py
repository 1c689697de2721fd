"""Reads a `RESTAPIConfig` of dlt into what the reader needs of each resource."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from dlt.sources.helpers.rest_client.paginators import BasePaginator
from dlt.sources.rest_api.typing import RESTAPIConfig
from requests import Response

from sync_assets.sources.rest.declaration.belonging import Belonging, belonging
from sync_assets.sources.rest.declaration.hints import MERGE
from sync_assets.sources.rest.declaration.validation import (
    Place,
    check_client,
    check_columns,
    check_names,
    check_paginator,
)
from sync_assets.sources.rest.records.columns import TColumns
from sync_assets.sources.rest.records.names import column_name, table_name

MERGED = ("params", "headers")
TEXT = {"data_type": "text", "nullable": False}


@dataclass(frozen=True)
class Endpoint:
    """One resource: the path of its lists, how they are paged, and the columns of its records.

    `name` is the name of its table. `columns` are by field; each has the `name` of its column.
    `parent` is the resource whose `parent_field` fills `{parent_param}` in the path and the column
    of that name. A child replaces its rows below one parent at a time, any other resource its
    whole table. If it is `partitioned`, the parent's id is the partition key.
    """

    name: str
    path: str
    data_selector: str
    paginator: BasePaginator
    columns: TColumns
    hints: Mapping[str, Any]
    key: str
    params: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    parent: str | None = None
    parent_param: str | None = None
    parent_field: str = "id"
    partitioned: bool = False
    missing_is_empty: bool = False
    hooks: tuple[Callable[[Response], Any], ...] = ()
    maps: tuple[Callable[[Any], Any], ...] = ()

    @property
    def in_parts(self) -> bool:
        """Whether its table has no partitions, but one list below each row of another table."""
        return self.parent is not None and not self.partitioned


def endpoints(
    api: str, config: RESTAPIConfig, base_url: str, partitions: Collection[str] = ()
) -> dict[str, Endpoint]:
    """Return the endpoints of a config by table name, with its `resource_defaults` applied.

    `partitions` are the resources whose ids are the partition keys of children that say
    `replaced_by`. Raises `ConfigurationError` for everything that would not be honoured.
    """
    place = Place(api)
    given = place.keys("config", config)
    check_client(place, given.get("client", {}), base_url)
    defaults = place.keys("resource", given.get("resource_defaults", {}), "resource_defaults.")
    client = cast("dict[str, Any]", given["client"])
    shared = {key: client[key] for key in ("headers", "paginator") if client.get(key)}
    resources = given["resources"]
    names = check_names(place, resources)
    return {
        name: _endpoint(Place(api, resource["name"]), defaults, shared, resource, partitions)
        for name, resource in zip(names, resources, strict=True)
    }


def _endpoint(
    place: Place,
    defaults: dict[str, Any],
    shared: dict[str, Any],
    resource: Mapping[str, Any],
    partitions: Collection[str],
) -> Endpoint:
    merged = place.keys("resource", {**defaults, **resource})
    request = _request(place, shared, defaults.get("endpoint"), resource.get("endpoint"))
    place.only("selected", merged.get("selected", True), [True], "sync fewer resources instead")
    place.only("parallelized", merged.get("parallelized", True), [True], "all lists are")
    place.only("endpoint.method", request.get("method", "GET"), ["GET"], "lists are read with GET")
    selector = request.get("data_selector")
    if not isinstance(selector, str) or not all(map(str.isidentifier, selector.split("."))):
        place.refuse(
            "endpoint.data_selector",
            f"must be the name of the body's list, or names with dots between, not {selector!r}; a "
            "response action may move it",
        )
    columns = check_columns(place, merged.get("columns"))
    belongs = belonging(place, request, merged, partitions)
    if belongs.column is not None and belongs.column not in _names(columns):
        columns = {belongs.column: {"name": belongs.column, **TEXT}, **columns}  # type: ignore[typeddict-item]
    key = _key(place, merged.get("primary_key"), columns, belongs)
    return Endpoint(
        name=table_name(merged["name"]),
        path=belongs.path,
        data_selector=selector,
        paginator=check_paginator(place, request.get("paginator")),
        columns=columns,
        hints=_hints(columns, belongs, key),
        key=key,
        params=belongs.params,
        headers=place.headers("endpoint.headers", request.get("headers", {})),
        parent=belongs.parent,
        parent_param=belongs.column,
        parent_field=belongs.field,
        partitioned=belongs.partitioned,
        **_steps(place, request, merged),
    )


def _request(place: Place, shared: dict[str, Any], *parts: Any) -> dict[str, Any]:
    """Merge the settings of an endpoint; earlier parts are defaults of later ones."""
    merged = dict(shared)
    for part in parts:
        part = {"path": part} if isinstance(part, str) else part or {}
        given = place.keys("endpoint", part, "endpoint.")
        for name in MERGED:
            if name in given:
                given[name] = {**merged.get(name, {}), **given[name]}
        merged.update(given)
    return merged


def _names(columns: TColumns) -> dict[str, str]:
    """Return the fields by the names of their columns."""
    return {str(column["name"]): field for field, column in columns.items()}


def _key(place: Place, given: Any, columns: TColumns, belongs: Belonging) -> str:
    """Return the field that identifies a record."""
    fields = [given] if isinstance(given, str) else list(given or ())
    if len(fields) == 2 and column_name(str(fields[0])) == belongs.column:
        fields = fields[1:]
    if len(fields) != 1:
        place.refuse(
            "primary_key",
            f"must be one field{' after the column of the parent' if belongs.column else ''}, "
            f"not {given!r}",
        )
    key = _names(columns).get(column_name(str(fields[0])), "")
    if key not in columns or columns[key].get("nullable", True):
        place.refuse(
            "primary_key", f"needs {fields[0]!r} among the required columns; declare it so"
        )
    return key


def _hints(columns: TColumns, belongs: Belonging, key: str) -> dict[str, Any]:
    """Return dlt's hints of the table without its columns; a child's key includes its parent."""
    own = str(columns[key]["name"])
    return {
        "primary_key": [belongs.column, own] if belongs.column else own,
        "write_disposition": belongs.disposition,
        **({"merge_key": belongs.column} if belongs.disposition is MERGE else {}),
    }


def _steps(place: Place, request: Mapping[str, Any], merged: Mapping[str, Any]) -> dict[str, Any]:
    """Return the functions that are applied to responses and records."""
    actions = request.get("response_actions", [])
    dicts = [action for action in actions if not callable(action)]
    for action in dicts:
        given = place.keys("response_actions", action, "endpoint.response_actions.")
        code, what = str(given.get("status_code")), given.get("action")
        if (code, what) != ("404", "ignore"):
            place.refuse("endpoint.response_actions", f"{action!r} is not done; give a function")
    steps = [
        place.keys("processing_steps", step, "processing_steps.")
        for step in merged.get("processing_steps", [])
    ]
    return {
        "missing_is_empty": bool(dicts),
        "hooks": tuple(action for action in actions if callable(action)),
        "maps": tuple(step["map"] for step in steps if "map" in step),
    }
