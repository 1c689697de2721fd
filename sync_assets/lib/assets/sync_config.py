"""Which lists a run of a sync job is for: its config names them, so that they may be any."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import dagster as dg

from sync_assets.sources.rest.api import Api, Parent

#: A resource, and a partition key or None.
Listed: TypeAlias = "tuple[str, str | None]"


class Lists(dg.Config):
    """`keys`: partitions; `resources`: of which children of their parents (none: of all)."""

    keys: list[str]
    resources: list[str] = []


class ListsConfig(dg.Config):
    """`lists`: what is synced; `allow_empty`: let a list that held rows become empty."""

    lists: list[Lists]
    allow_empty: bool = False


def job_name(api: Api, parent: Parent) -> str:
    """The name of the job that syncs what is below a parent."""
    return f"{api.name}_{parent.partitions}_sync"


def op_name(api: Api, parent: Parent) -> str:
    """The name of its one op, which is the key of its one step."""
    return f"{job_name(api, parent)}_lists"


def run_config(
    api: Api, parent: Parent, wanted: Mapping[str, tuple[str, ...]]
) -> dict[str, dict[str, Any]]:
    """The config of a run for some resources below each of some keys."""
    alike: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for key, resources in wanted.items():
        alike[resources].append(key)
    lists = [{"resources": list(names), "keys": keys} for names, keys in alike.items()]
    return {"ops": {op_name(api, parent): {"config": {"lists": lists}}}}


def planned(api: Api, run: dg.DagsterRun) -> Iterator[tuple[Parent, str, list[Listed]]]:
    """What the config of a run names: of which parent, in which step, which lists."""
    ops = run.run_config.get("ops")
    for parent in api.parents:
        step = op_name(api, parent)
        config = ops.get(step) if isinstance(ops, Mapping) else None
        given = config.get("config") if isinstance(config, Mapping) else None
        lists = given.get("lists") if isinstance(given, Mapping) else None
        if isinstance(lists, Sequence):
            yield parent, step, planned_lists(api, parent, lists)


def planned_lists(api: Api, parent: Parent, lists: Sequence[Any]) -> list[Listed]:
    """What the `lists` of a config name."""
    children = api.children(parent.resource)
    return [
        (resource, str(key))
        for one in lists
        if isinstance(one, Mapping)
        for resource in one.get("resources") or children
        if resource in children
        for key in one.get("keys") or ()
    ]
