"""How a table is replaced, in dlt's words: as a whole, or below one parent at a time."""

from __future__ import annotations

from typing import Any, cast

from dlt.common.schema.typing import TWriteDisposition, TWriteDispositionConfig
from dlt.sources.rest_api.typing import EndpointResourceBase

#: How a whole table is replaced is a setting of the destination, which the warehouse makes.
REPLACE: TWriteDisposition = "replace"
MERGE = cast("TWriteDispositionConfig", {"disposition": "merge", "strategy": "delete-insert"})


def below(parent: str, param: str) -> dict[str, Any]:
    """Params of a child's path: `{param}` is the id of the parent resource."""
    return {param: {"type": "resolve", "resource": parent, "field": "id"}}


def replaced_by(parent_column: str) -> EndpointResourceBase:
    """Hints of a child whose rows are replaced below one parent at a time.

    Nothing promises ids to be unique across parents, so they are keys within one only.
    """
    return {
        "primary_key": [parent_column, "id"],
        "merge_key": parent_column,
        "write_disposition": MERGE,
    }
