"""How the rows of a table are replaced: as a whole, or below one parent at a time."""

from __future__ import annotations

import re
from typing import Any, cast

from dlt.common.schema.typing import TWriteDisposition, TWriteDispositionConfig
from dlt.sources.rest_api.typing import Endpoint, EndpointResource, EndpointResourceBase

from sync_assets.base.errors import ConfigurationError
from sync_assets.sources.rest.records.columns import TColumns

#: How a whole table is replaced is a setting of the destination, which the warehouse makes.
REPLACE: TWriteDisposition = "replace"
MERGE = cast("TWriteDispositionConfig", {"disposition": "merge", "strategy": "delete-insert"})


def child(
    name: str,
    path: str,
    *,
    of: str,
    columns: TColumns,
    field: str = "id",
    key: str = "id",
    **endpoint: Any,
) -> EndpointResource:
    """Declare a resource below each row of another; rows are replaced below one parent at a time.

        child("answers", "/forms/{form_id}/answers", of="forms", columns=columns(required="id"))

    The name in braces is the column of the parent's id, which comes from the `field` of the parent
    `of`. `key` is the field that identifies a row below one parent. `endpoint` takes the keys of
    an endpoint in dlt's `rest_api`. The rows are partitions if the API has a `Parent` for `of`.
    Raises `ConfigurationError` if the path has no column, or two.
    """
    named = re.findall(r"\{(\w+)\}", path)
    if len(named) != 1:
        raise ConfigurationError(
            f"resource {name}: `path` must hold the column of the parent's id once, in braces, "
            f"such as /{of}/{{{of}_id}}/{name}, not {path!r}."
        )
    params = {**below(of, named[0], field), **endpoint.pop("params", {})}
    return {
        "name": name,
        **replaced_by(named[0], key),
        "endpoint": cast("Endpoint", {"path": path, "params": params, **endpoint}),
        "columns": columns,
    }


def below(parent: str, param: str, field: str = "id") -> dict[str, Any]:
    """Return the params of a child's path: `{param}` is a field of the parent resource."""
    return {param: {"type": "resolve", "resource": parent, "field": field}}


def replaced_by(parent_column: str, key: str = "id") -> EndpointResourceBase:
    """Return the hints of a child whose rows are replaced below one parent at a time.

    No API promises that ids are unique across parents, so the key is (parent, id).
    """
    return {
        "primary_key": [parent_column, key],
        "merge_key": parent_column,
        "write_disposition": MERGE,
    }
