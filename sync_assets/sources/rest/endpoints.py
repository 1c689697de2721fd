"""A dlt `RESTAPIConfig`, read once into what the reader needs of each resource."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from dlt.sources.helpers.rest_client.paginators import BasePaginator
from dlt.sources.rest_api.typing import RESTAPIConfig
from requests import Response

from sync_assets.sources.rest.columns import TColumns

HINTS = ("primary_key", "merge_key", "write_disposition", "columns")


@dataclass(frozen=True)
class Endpoint:
    """One resource: where its lists are, how they go on, what their records hold.

    `parent` is the resource whose `id` fills `{parent_param}` of the path and the
    column of that name. Children replace their rows below one parent at a time, everything else
    its table as a whole; a parent's id is the partition key of children that are `partitioned`.
    """

    name: str
    path: str
    data_selector: str
    paginator: BasePaginator
    columns: TColumns
    hints: Mapping[str, Any]
    params: Mapping[str, Any] = field(default_factory=dict)
    parent: str | None = None
    parent_param: str | None = None
    partitioned: bool = False
    missing_is_empty: bool = False
    hooks: tuple[Callable[[Response], Any], ...] = ()
    maps: tuple[Callable[[Any], Any], ...] = ()

    @property
    def key(self) -> str:
        """The record's own key: the last column of the primary key."""
        primary = self.hints["primary_key"]
        return str(primary if isinstance(primary, str) else primary[-1])


def endpoints(config: RESTAPIConfig, partitions: Collection[str] = ()) -> dict[str, Endpoint]:
    """The endpoints of a config by resource name, its `resource_defaults` applied.

    `partitions` are the resources whose ids are partition keys: those of the children that say
    `replaced_by`.
    """
    defaults = cast("dict[str, Any]", config.get("resource_defaults") or {})
    found = [
        _endpoint(defaults, cast("dict[str, Any]", item), partitions)
        for item in config["resources"]
    ]
    return {endpoint.name: endpoint for endpoint in found}


def _endpoint(
    defaults: dict[str, Any], resource: dict[str, Any], partitions: Collection[str]
) -> Endpoint:
    merged = {**defaults, **resource}
    request = {**defaults.get("endpoint", {}), **resource["endpoint"]}
    params = dict(request.get("params") or {})
    resolved = {k: v for k, v in params.items() if isinstance(v, dict) and v["type"] == "resolve"}
    param, resolve = next(iter(resolved.items()), (None, {}))
    actions = request.get("response_actions") or []
    return Endpoint(
        name=merged["name"],
        path=request["path"],
        data_selector=request["data_selector"],
        paginator=request["paginator"],
        columns=merged["columns"],
        hints={name: merged[name] for name in HINTS if name in merged},
        params={k: v for k, v in params.items() if k not in resolved},
        parent=resolve.get("resource"),
        parent_param=param,
        partitioned=bool(merged.get("merge_key")) and resolve.get("resource") in partitions,
        missing_is_empty={"status_code": 404, "action": "ignore"} in actions,
        hooks=tuple(action for action in actions if callable(action)),
        maps=tuple(step["map"] for step in merged.get("processing_steps") or []),
    )
