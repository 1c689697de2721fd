"""Checks that the parts of a declaration fit together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from sync_assets.sources.rest.declaration.typed import (
    joined_columns,
    own_columns,
    typed_columns,
)
from sync_assets.sources.rest.declaration.validation import LONGEST, Place
from sync_assets.sources.rest.records.names import column_name, table_name

if TYPE_CHECKING:
    from sync_assets.sources.rest.api import Parent
    from sync_assets.sources.rest.declaration.endpoints import Endpoint

#: Stands for the credential while an API is declared.
SECRET = "the-credential"


def check_api(name: str, parents: Iterable[Parent], endpoints: Mapping[str, Endpoint]) -> None:
    """Refuse a name that no dataset may have, and partitions without a table or its columns."""
    if name != table_name(name) or not name.strip("_"):
        Place(name).refuse("name", f"must be in snake_case, as its dataset is: {table_name(name)}")
    parents = list(parents)
    keys = {parent.resource: column_name(parent.key) for parent in parents}
    for endpoint in endpoints.values():
        if endpoint.parent is not None:
            key = keys.get(endpoint.parent, "id")
            _check_child(Place(name, endpoint.name), endpoint, endpoints, key)
        _check_view(Place(name, endpoint.name), endpoint, endpoints)
    for parent in parents:
        place = Place(name, f"{parent.resource} as a Parent")
        if parent.resource not in endpoints:
            place.refuse("resource", f"is no resource of {name}: {', '.join(endpoints)}")
        declared = {column["name"] for column in endpoints[parent.resource].columns.values()}
        for column in parent.columns:
            if column_name(column) not in declared:
                place.refuse("columns", f"must hold declared columns: declare {column!r}")
        for table, *names in parent.activity:
            known = endpoints.get(table_name(table))
            if known is None or not set(names) <= set(known.columns):
                place.refuse("activity", f"must name a resource and columns of it, not {table!r}")


def check_secret(name: str, endpoints: Mapping[str, Endpoint]) -> None:
    """Refuse a credential in a path, because messages quote paths."""
    for endpoint in endpoints.values():
        if SECRET in endpoint.path:
            Place(name, endpoint.name).refuse(
                "endpoint.path", "holds the credential; send it by client.auth, headers or params"
            )


def _check_view(place: Place, endpoint: Endpoint, endpoints: Mapping[str, Endpoint]) -> None:
    """Refuse a column that the typed view could not show."""
    for column in own_columns(endpoint):
        if column.refers and column.refers not in endpoints:
            place.refuse(f"columns.{column.name}", f"refers to {column.refers}, which is no table")
    for column in joined_columns(endpoint, endpoints):
        shown = {other.name for other in own_columns(endpoints[column.refers])}
        if column.joined not in shown:
            why = f"shows {column.joined}, which {column.refers} lacks"
            place.refuse(f"columns.{column.column}", why)
    columns = typed_columns(endpoint, endpoints)
    names = [column.name for column in columns]
    for column in columns:
        if names.count(column.name) > 1 or len(column.name) > LONGEST:
            why = f"is there twice in the typed view, or longer than {LONGEST} characters; rename"
            place.refuse(f"columns.{column.column}", f"{why} what makes {column.name}")
        for other in filter(None, (column.currency, column.multiplier)):
            if other not in names:
                place.refuse(f"columns.{column.name}", f"is in {other}, no column of the view")


def _check_child(
    place: Place, child: Endpoint, endpoints: Mapping[str, Endpoint], key: str
) -> None:
    """Refuse a child that does not fit its parent, whose `key` makes the partitions."""
    parent = endpoints.get(str(child.parent))
    if parent is None:
        place.refuse("resource", f"names {child.parent} as its parent, which is no resource")
    if parent.parent is not None:
        place.refuse("resource", f"names {parent.name}, which is itself below {parent.parent}")
    columns = {column["name"]: column for column in parent.columns.values()}
    if columns.get(child.parent_field, {}).get("nullable", True):
        place.refuse(
            "field", f"needs {child.parent_field!r} among {parent.name}'s required columns"
        )
    if child.partitioned and child.parent_field != key:
        place.refuse(
            "field", f"must be {key!r}, the key of the Parent {parent.name}, or leave out merge_key"
        )
    own = {column["name"]: column for column in child.columns.values()}[str(child.parent_param)]
    if own["data_type"] != "text" or own.get("nullable", True):
        place.refuse(f"columns.{child.parent_param}", "holds the parent's id: a required text")
