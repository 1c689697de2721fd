"""Finds the parent of a resource, and the column that holds the parent's id."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sync_assets.sources.rest.declaration.hints import MERGE, REPLACE
from sync_assets.sources.rest.declaration.validation import TEMPLATE, Place
from sync_assets.sources.rest.records.names import column_name, table_name

EXPRESSION = re.compile(r"\{resources\.([^.{}]+)\.([^{}]+)\}")
PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True)
class Belonging:
    """The parent of a resource; `column` holds its id and is a parameter of `path`."""

    path: str
    params: Mapping[str, Any]
    disposition: Any
    parent: str | None = None
    field: str = "id"
    column: str | None = None
    partitioned: bool = False


def belonging(
    place: Place,
    request: Mapping[str, Any],
    merged: Mapping[str, Any],
    partitions: Collection[str],
) -> Belonging:
    """Return the parent that a `resolve` parameter or the path names, if there is one."""
    params = dict(request.get("params", {}))
    path = str(request.get("path", merged["name"]))
    if "://" in path:
        place.refuse("endpoint.path", "must be below the base URL, not a URL of its own")
    found: dict[tuple[str, str], str] = {}
    for name, value in list(params.items()):
        if isinstance(value, Mapping):
            found[_resolved(place, name, value)] = f"{{{name}}}"
            del params[name]
        elif isinstance(value, str) and TEMPLATE.search(value):
            place.refuse(f"endpoint.params.{name}", "is a template; only the path may hold one")
    for match in EXPRESSION.finditer(path):
        found[match[1], match[2]] = match[0]
    if len(found) > 1:
        place.refuse("endpoint.params", "name two parents; a list can be below one. Name one")
    for (parent, field), placeholder in found.items():
        if placeholder not in path:
            place.refuse("endpoint.path", f"must hold {placeholder}, which the params resolve")
        column = _column(place, parent, field, placeholder, merged)
        path = path.replace(placeholder, f"{{{column}}}")
        _no_others(place, path, column)
        return _below(place, path, params, merged, parent, field, column, partitions)
    _no_others(place, path, None)
    if merged.get("merge_key"):
        place.refuse("merge_key", "is for a resource below a parent; name the parent or remove it")
    place.only(
        "write_disposition", merged.get("write_disposition"), [REPLACE], "tables are replaced whole"
    )
    return Belonging(_absolute(path), params, REPLACE)


def _resolved(place: Place, name: str, value: Mapping[str, Any]) -> tuple[str, str]:
    key = f"endpoint.params.{name}"
    if value.get("type") == "incremental":
        place.keys("params incremental, endpoint.incremental", value, f"{key}.")
    given = place.keys("params resolve", value, f"{key}.")
    if given.get("type") != "resolve" or not {"resource", "field"} <= set(given):
        place.refuse(key, "must say type resolve, a resource and a field, or be a plain value")
    return str(given["resource"]), str(given["field"])


def _column(
    place: Place, parent: str, field: str, placeholder: str, merged: Mapping[str, Any]
) -> str:
    """Return the column of the parent's id: the parameter's name, or the name in the keys."""
    keys, primary = merged.get("merge_key"), merged.get("primary_key")
    named = keys if isinstance(keys, str) else None
    if named is None and isinstance(primary, (list, tuple)) and len(primary) == 2:
        named = str(primary[0])
    if EXPRESSION.fullmatch(placeholder):
        return column_name(named or f"{parent}_{field}")
    column = column_name(placeholder.strip("{}"))
    if keys is not None and (not isinstance(keys, str) or column_name(keys) != column):
        place.refuse("merge_key", f"must be the column of the parent, {column!r}, not {keys!r}")
    return column


def _below(
    place: Place,
    path: str,
    params: Mapping[str, Any],
    merged: Mapping[str, Any],
    parent: str,
    field: str,
    column: str,
    partitions: Collection[str],
) -> Belonging:
    disposition = merged.get("write_disposition")
    place.only("write_disposition", disposition, [REPLACE, "merge", MERGE], "rows are replaced")
    parent = table_name(parent)
    return Belonging(
        _absolute(path),
        params,
        REPLACE if disposition == REPLACE else MERGE,
        parent,
        column_name(field),
        column,
        partitioned=bool(merged.get("merge_key")) and parent in partitions,
    )


def _no_others(place: Place, path: str, column: str | None) -> None:
    for match in PLACEHOLDER.finditer(path):
        if match[1] != column:
            place.refuse("endpoint.path", f"holds {match[0]}, which nothing fills; write it out")


def _absolute(path: str) -> str:
    return f"/{path.lstrip('/')}"
